import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import Cloudflare from "cloudflare";
import { ACCOUNT, BASE_URL, NAMESPACE, TOKEN, answering, scriptName, visit } from "./platform.ts";

const client = new Cloudflare({ apiToken: TOKEN, baseURL: BASE_URL, maxRetries: 0 });
const namespaces = client.workersForPlatforms.dispatch.namespaces;
const { scripts } = namespaces;
const account = { account_id: ACCOUNT };
const place = { ...account, dispatch_namespace: NAMESPACE };

function module(source: string, name = "index.js"): File {
  return new File([source], name, { type: "application/javascript+module" });
}

async function deployed(name: string, source: string, metadata: Record<string, unknown> = {}): Promise<void> {
  await scripts.update(name, {
    ...place,
    metadata: { main_module: "index.js", compatibility_date: "2026-01-01", ...metadata },
    files: [module(source)],
  });
}

test("namespaces are listed and read", async () => {
  const names: (string | undefined)[] = [];
  for await (const namespace of namespaces.list(account)) names.push(namespace.namespace_name);
  assert.deepEqual(names, ["dotdo-production", "dotdo-staging", "dotdo-development"]);
  const namespace = await namespaces.get(NAMESPACE, account);
  assert.equal(namespace.namespace_name, NAMESPACE);
  assert.equal(namespace.trusted_workers, true);
  assert.equal(typeof namespace.script_count, "number");
});

test("a script is deployed, served, read, replaced and deleted", async () => {
  const name = scriptName();
  await deployed(name, answering("env.GREETING"), {
    bindings: [{ type: "plain_text", name: "GREETING", text: "hello" }],
    tags: ["sdk"],
  });
  assert.equal((await visit(name)).text, '"hello"');

  const read = await scripts.get(name, place);
  assert.equal(read.dispatch_namespace, NAMESPACE);
  assert.equal(read.script?.id, name);
  assert.deepEqual(read.script?.tags, ["sdk"]);

  await deployed(name, answering("'second'"));
  assert.equal((await visit(name)).text, '"second"');

  await scripts.delete(name, place);
  assert.notEqual((await visit(name)).status, 200);
  await assert.rejects(
    async () => await scripts.get(name, place),
    (error) => error instanceof Cloudflare.NotFoundError && error.errors[0]?.code === 10092,
  );
});

test("content is read and replaced, and bindings stay", async () => {
  const name = scriptName();
  await deployed(name, answering("env.KEPT"), { bindings: [{ type: "plain_text", name: "KEPT", text: "kept" }] });
  const content = await scripts.content.get(name, place);
  const form = await content.formData();
  const file = form.get("index.js");
  assert.ok(file instanceof File);
  assert.equal(file.type, "application/javascript+module");
  assert.equal(await file.text(), answering("env.KEPT"));

  await scripts.content.update(name, {
    ...place,
    metadata: { main_module: "index.js" },
    files: [module(answering("['new', env.KEPT]"))],
  });
  assert.equal((await visit(name)).text, '["new","kept"]');
});

test("settings and bindings are read and changed", async () => {
  const name = scriptName();
  await deployed(name, answering("env"), { bindings: [{ type: "secret_text", name: "KEY", text: "hunter2" }] });
  const changed = await scripts.settings.edit(name, {
    ...place,
    settings: {
      bindings: [
        { type: "inherit", name: "KEY" },
        { type: "plain_text", name: "NEW", text: "value" },
      ],
      tags: ["a", "b"],
    },
  });
  assert.deepEqual(changed.tags, ["a", "b"]);
  assert.equal((await visit(name)).text, '{"KEY":"hunter2","NEW":"value"}');

  const settings = await scripts.settings.get(name, place);
  assert.equal(settings.compatibility_date, "2026-01-01");
  assert.ok(!JSON.stringify(settings).includes("hunter2"), "a secret's value is never shown");
  const bindings: unknown[] = [];
  for await (const binding of scripts.bindings.get(name, place)) bindings.push(binding);
  assert.deepEqual(bindings, [
    { type: "secret_text", name: "KEY" },
    { type: "plain_text", name: "NEW", text: "value" },
  ]);
});

test("secrets are set, listed, read and deleted, each live at once", async () => {
  const name = scriptName();
  await deployed(name, answering("env"));
  await scripts.secrets.update(name, { ...place, name: "ONE", text: "1", type: "secret_text" });
  assert.equal((await visit(name)).text, '{"ONE":"1"}');
  const secret = await scripts.secrets.get("ONE", { ...place, script_name: name });
  assert.deepEqual(secret, { name: "ONE", type: "secret_text" });

  await scripts.secrets.bulkUpdate(name, {
    ...place,
    secrets: { ONE: null, TWO: { name: "TWO", text: "2", type: "secret_text" } },
  });
  const listed: unknown[] = [];
  for await (const one of scripts.secrets.list(name, place)) listed.push(one);
  assert.deepEqual(listed, [{ name: "TWO", type: "secret_text" }]);
  assert.equal((await visit(name)).text, '{"TWO":"2"}');

  await scripts.secrets.delete("TWO", { ...place, script_name: name });
  assert.equal((await visit(name)).text, "{}");
});

test("tags are replaced, listed and taken away", async () => {
  const name = scriptName();
  await deployed(name, answering("1"));
  await scripts.tags.update(name, { ...place, body: ["customer-1", "free"] });
  await scripts.tags.delete("free", { ...place, script_name: name });
  const tags: unknown[] = [];
  for await (const tag of scripts.tags.list(name, place)) tags.push(tag);
  assert.deepEqual(tags, ["customer-1"]);
});

test("assets are uploaded, attached and served", async () => {
  const name = scriptName();
  const page = "<h1>from the SDK</h1>";
  const hash = createHash("sha256").update(page).digest("hex").slice(0, 32);
  const session = await scripts.assetUpload.create(name, {
    ...place,
    manifest: { "/index.html": { hash, size: page.length } },
  });
  assert.deepEqual(session.buckets, [[hash]]);
  const uploader = new Cloudflare({ apiToken: session.jwt ?? "", baseURL: BASE_URL, maxRetries: 0 });
  const uploaded = await uploader.workers.assets.upload.create({
    ...account,
    base64: true,
    body: { [hash]: Buffer.from(page).toString("base64") },
  });
  await deployed(name, answering("'script'"), { assets: { jwt: uploaded.jwt } });
  assert.equal((await visit(name)).text, page);
  assert.equal((await visit(name, "/other")).text, '"script"');
});
