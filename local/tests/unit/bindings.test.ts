import assert from "node:assert/strict";
import { test } from "node:test";
import { shown, type Binding, mergedBindings } from "../../src/bindings/binding.ts";
import { readBinding } from "../../src/bindings/kinds.ts";
import { refused } from "./refused.ts";

const SECRET: Binding = { type: "secret_text", name: "KEY", text: "hunter2" };
const VARIABLE: Binding = { type: "plain_text", name: "GREETING", text: "hello" };

test("bindings that are simulated are read", () => {
  for (const binding of [
    SECRET,
    VARIABLE,
    { type: "json", name: "J", json: { a: [1, null] } },
    { type: "json", name: "N", json: null },
    { type: "assets", name: "ASSETS" },
    { type: "version_metadata", name: "VERSION" },
    { type: "durable_object_namespace", name: "ROOM", class_name: "Room" },
    { type: "wasm_module", name: "W", part: "w" },
    { type: "dispatch_namespace", name: "DISPATCHER", namespace: "dotdo-staging" },
    { type: "kv_namespace", name: "CACHE", namespace_id: "0123456789abcdef0123456789abcdef" },
    { type: "kv_namespace", name: "CACHE", namespace_id: "my_cache-1.dev" },
    { type: "r2_bucket", name: "FILES", bucket_name: "photos" },
    { type: "r2_bucket", name: "FILES", bucket_name: "photos", jurisdiction: "eu" },
    { type: "queue", name: "JOBS", queue_name: "jobs" },
    { type: "queue", name: "JOBS", queue_name: "jobs", delivery_delay: 60 },
    { type: "d1", name: "DB", id: "11111111-2222-4333-8444-555555555555" },
    { type: "service", name: "API", service: "api" },
    { type: "service", name: "API", service: "api", entrypoint: "Admin", props: { role: "owner" } },
    { type: "inherit", name: "A", old_name: "B" },
  ]) {
    assert.deepEqual(readBinding({ ...binding, unknown: 1 }), binding);
  }
});

for (const [type, advice] of [
  ["ai", /REST API of Workers AI/],
  ["browser", /Playwright/],
  ["hyperdrive", /database's address into a secret/],
  ["images", /static assets/],
  ["vectorize", /in D1 or in a Durable Object/],
  ["workflow", /alarm runs the steps/],
  ["a_new_type", /Remove it/],
] as const) {
  test(`a ${type} binding is refused by its name, and the refusal says what to do`, async () => {
    await refused(10901, /The binding THING of type "/, () => readBinding({ type, name: "THING" }));
    await refused(10901, advice, () => readBinding({ type, name: "THING" }));
  });
}

test("a Durable Object class is of the Worker itself or of an account Worker", async () => {
  const room = { type: "durable_object_namespace", name: "ROOM", class_name: "Room" };
  const elsewhere = { ...room, script_name: "other" };
  assert.deepEqual(readBinding({ ...elsewhere, namespace_id: "0" }), elsewhere);
  await refused(10901, /ROOM .* "customers".*remove/, () => readBinding({ ...elsewhere, dispatch_namespace: "customers" }));
  await refused(10901, /ROOM .*by `class_name`/, () => readBinding({ type: room.type, name: "ROOM", namespace_id: "0" }));
});

test("a service binding to an environment of a Worker is refused", async () => {
  const service = { type: "service", name: "API", service: "api" };
  await refused(10901, /api-staging/, () => readBinding({ ...service, environment: "staging" }));
  await refused(10057, /`props` of the binding API/, () => readBinding({ ...service, props: 1 }));
});

test("malformed bindings are refused", async () => {
  await refused(10057, /must be an object/, () => readBinding("x"));
  await refused(10057, /no `name`/, () => readBinding({ type: "plain_text", text: "x" }));
  await refused(10057, /GREETING .* string `text`/, () =>
    readBinding({ type: "plain_text", name: "GREETING", text: 1 }),
  );
  await refused(10057, /5121 bytes/, () => readBinding({ type: "plain_text", name: "V", text: "x".repeat(5121) }));
});

test("an id of storage that cannot be one is refused", async () => {
  for (const id of ["", "<your id>", "a/b", "..", ".a", "a".repeat(129)]) {
    await refused(10057, /`namespace_id` of the binding KV/, () =>
      readBinding({ type: "kv_namespace", name: "KV", namespace_id: id }),
    );
  }
});

test("a name of a bucket that cannot be one is refused", async () => {
  for (const name of ["", "ab", "-abc", "abc-", "Abc", "a_c", "a.b.c", "a".repeat(64)]) {
    await refused(10057, /`bucket_name` of the binding R2/, () => readBinding({ type: "r2_bucket", name: "R2", bucket_name: name }));
  }
  const bucket = { type: "r2_bucket", name: "R2", bucket_name: "abc" };
  await refused(10057, /jurisdiction/, () => readBinding({ ...bucket, jurisdiction: "../eu" }));
});

test("secrets survive a deploy that keeps their type, and what the deploy names wins", () => {
  assert.deepEqual(mergedBindings([VARIABLE], [SECRET], ["secret_text"]), [VARIABLE, SECRET]);
  assert.deepEqual(mergedBindings([VARIABLE], [SECRET], []), [VARIABLE]);
  const renewed: Binding = { type: "secret_text", name: "KEY", text: "new" };
  assert.deepEqual(mergedBindings([renewed], [SECRET], ["secret_text"]), [renewed]);
});

test("an inherited binding is the current one, under the new name", () => {
  assert.deepEqual(mergedBindings([{ type: "inherit", name: "KEY" }], [SECRET], []), [SECRET]);
  assert.deepEqual(mergedBindings([{ type: "inherit", name: "TOKEN", old_name: "KEY" }], [SECRET], []), [
    { ...SECRET, name: "TOKEN" },
  ]);
});

test("a binding that cannot be inherited is refused in the form that wrangler reads", () =>
  refused(10057, /^inherit binding 'GONE' is invalid.*no binding OLD/, () =>
    mergedBindings([{ type: "inherit", name: "GONE", old_name: "OLD" }], [SECRET], []),
  ));

test("two bindings of one name are refused", () =>
  refused(10057, /Two bindings are called GREETING/, () => mergedBindings([VARIABLE, VARIABLE], [], [])));

test("a secret is shown without its value", () => {
  assert.deepEqual(shown(SECRET), { type: "secret_text", name: "KEY" });
  assert.deepEqual(shown(VARIABLE), VARIABLE);
});
