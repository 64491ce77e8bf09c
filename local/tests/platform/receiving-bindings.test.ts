import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCOUNT, NAMESPACE, call, deploy, scriptName, visit } from "./platform.ts";

/** Deploys a Worker that answers each path with the result of an expression, in which `env` is known. */
async function deployed(bindings: readonly object[], paths: Readonly<Record<string, string>>, imports = ""): Promise<string> {
  const name = scriptName();
  const cases = Object.entries(paths).map(([path, expression]) => `case "/${path}": return ${expression};`);
  const source = `${imports}
    async function result(path, env) { switch (path) { ${cases.join("\n")} } }
    export default { async fetch(request, env) {
      const { pathname } = new URL(request.url);
      return Response.json(await result(pathname, env).catch((cause) => cause.name + ": " + cause.message) ?? null);
    } };`;
  const { status, errors } = await deploy(name, { "index.js": source }, { bindings });
  assert.equal(status, 200, JSON.stringify(errors));
  return name;
}

async function result(name: string, path: string): Promise<any> {
  return JSON.parse((await visit(name, `/${path}`)).text);
}

/** What a script's bindings of a type received, the newest first. */
async function received(type: string, script: string): Promise<any[]> {
  return (await call("GET", `/local/received?type=${type}&namespace=${NAMESPACE}&script=${script}`)).result;
}

test("the points of Analytics Engine are stored, and too large ones are refused", async () => {
  const name = await deployed([{ type: "analytics_engine", name: "POINTS", dataset: "visits" }], {
    write: `env.POINTS.writeDataPoint({ indexes: ["a"], doubles: [1, 2.5], blobs: ["b", null, new TextEncoder().encode("c")] })`,
    empty: `env.POINTS.writeDataPoint()`,
    indexes: `env.POINTS.writeDataPoint({ indexes: ["a", "b"] })`,
    doubles: `env.POINTS.writeDataPoint({ doubles: Array(21).fill(1) })`,
    long: `env.POINTS.writeDataPoint({ indexes: ["x".repeat(97)] })`,
    large: `env.POINTS.writeDataPoint({ blobs: ["x".repeat(16 * 1024 + 1)] })`,
  });
  assert.equal(await result(name, "write"), null);
  assert.equal(await result(name, "empty"), null);
  assert.match(await result(name, "indexes"), /TypeError: .*Maximum of 1 indexes/);
  assert.match(await result(name, "doubles"), /TypeError: .*Maximum of 20 doubles/);
  assert.match(await result(name, "long"), /Size of indexes exceeds 96 bytes/);
  assert.match(await result(name, "large"), /Size of blobs exceeds 16384 bytes/);
  const points = await received("analytics_engine", name);
  assert.deepEqual(
    points.map(({ binding, target, data }) => [binding, target, data]),
    [
      ["POINTS", "visits", { indexes: [], doubles: [], blobs: [] }],
      ["POINTS", "visits", { indexes: ["a"], doubles: [1, 2.5], blobs: ["b", null, "c"] }],
    ],
  );
});

test("the records of a pipeline are stored, each as one record", async () => {
  const name = await deployed([{ type: "pipelines", name: "EVENTS", pipeline: "clicks" }], {
    send: `env.EVENTS.send([{ page: "/a" }, { page: "/b" }])`,
    wrong: `env.EVENTS.send({ page: "/a" })`,
  });
  assert.equal(await result(name, "send"), null);
  assert.match(await result(name, "wrong"), /TypeError: .*list of records/);
  const records = await received("pipelines", name);
  assert.deepEqual(records.map(({ target, data }) => [target, data.page]), [["clicks", "/b"], ["clicks", "/a"]]);
});

test("a rate limit counts by key, and Workers with the same namespace id share it", async () => {
  const namespaceId = String(Date.now());
  const limit = { type: "ratelimit", name: "LIMIT", namespace_id: namespaceId, simple: { limit: 3, period: 60 } };
  const paths = {
    // A period of a minute that ends now would reset the count.
    begin: `(async () => { while (Date.now() % 60000 > 50000) await scheduler.wait(500); })()`,
    one: `env.LIMIT.limit({ key: "one" })`,
    two: `env.LIMIT.limit({ key: "two" })`,
    wrong: `env.LIMIT.limit({ key: 1 })`,
  };
  const [first, second] = [await deployed([limit], paths), await deployed([limit], paths)];
  await result(first, "begin");
  for (const [name, path, success] of [
    [first, "one", true],
    [second, "one", true],
    [first, "one", true],
    [second, "one", false],
    [first, "one", false],
    [first, "two", true],
  ] as const) {
    assert.deepEqual(await result(name, path), { success }, `${path} of ${name}`);
  }
  assert.match(await result(first, "wrong"), /invalid key/);
  const refused = await deploy(first, { "index.js": "export default { fetch() {} };" }, {
    bindings: [{ ...limit, simple: { limit: 3, period: 7 } }],
  });
  assert.match(refused.errors[0]?.message ?? "", /LIMIT.*10 or 60 seconds/);
});

test("an e-mail is checked as on Cloudflare and stored", async () => {
  const raw = (from: string, id = "Message-ID: <1@example.com>\\r\\n") =>
    `"From: Sender <${from}>\\r\\nTo: to@example.com\\r\\nSubject: Hello\\r\\n${id}\\r\\nThe text.\\r\\n"`;
  const send = (from: string, to: string, message: string) => `env.MAIL.send(new EmailMessage("${from}", "${to}", ${message}))`;
  const binding = {
    type: "send_email",
    name: "MAIL",
    allowed_destination_addresses: ["to@example.com"],
    allowed_sender_addresses: ["me@example.com"],
  };
  const name = await deployed(
    [binding],
    {
      raw: send("me@example.com", "to@example.com", raw("me@example.com")),
      stream: send("me@example.com", "to@example.com", `new Response(${raw("me@example.com")}).body`),
      parts: `env.MAIL.send({ from: { email: "me@example.com", name: "Me" }, to: "to@example.com", subject: "Parts", text: "One" })`,
      to: send("me@example.com", "other@example.com", raw("me@example.com")),
      from: send("other@example.com", "to@example.com", raw("me@example.com")),
      header: send("me@example.com", "to@example.com", raw("other@example.com")),
      id: send("me@example.com", "to@example.com", raw("me@example.com", "")),
      message: `(async () => { const { from, to } = new EmailMessage("a@b.c", "d@e.f", ""); return [from, to]; })()`,
    },
    `import { EmailMessage } from "cloudflare:email";`,
  );
  assert.match((await result(name, "parts")).messageId, /^<.+@example\.com>$/);
  assert.deepEqual(await result(name, "raw"), { messageId: "<1@example.com>" });
  assert.deepEqual(await result(name, "stream"), { messageId: "<1@example.com>" });
  assert.match(await result(name, "to"), /email to other@example.com not allowed/);
  assert.match(await result(name, "from"), /email from other@example.com not allowed/);
  assert.match(await result(name, "header"), /From: header does not match mail from/);
  assert.match(await result(name, "id"), /invalid message-id/);
  assert.deepEqual(await result(name, "message"), ["a@b.c", "d@e.f"]);
  const messages = await received("send_email", name);
  assert.deepEqual(messages.map(({ data }) => data.subject), ["Hello", "Hello", "Parts"]);
  assert.match(messages[0].data.raw, /^From: Sender/);
  assert.equal(messages[0].data.text.trim(), "The text.");
});

test("a secret of a Secrets Store is created through the API of the account and read by a Worker", async () => {
  const store = `store-${process.pid}`;
  const secrets = `/accounts/${ACCOUNT}/secrets_store/stores/${store}/secrets`;
  const json = (method: string, path: string, body: unknown) => call(method, path, { body: JSON.stringify(body) });
  const binding = { type: "secrets_store_secret", name: "KEY", store_id: store, secret_name: "api_key" };
  const name = await deployed([binding], { get: `env.KEY.get()` });
  assert.match(await result(name, "get"), /Secret "api_key" not found.*wrangler secrets-store secret create/);
  const created = await json("POST", secrets, [{ name: "api_key", value: "one", scopes: ["workers"], comment: "" }]);
  assert.equal(created.status, 200, JSON.stringify(created.errors));
  assert.ok(!JSON.stringify(created).includes("one"), "the value is not returned");
  assert.equal(await result(name, "get"), "one");
  const [{ id }] = (await call("GET", `${secrets}?search=api_key`)).result;
  assert.equal((await json("PATCH", `${secrets}/${id}`, { value: "two" })).status, 200);
  assert.equal(await result(name, "get"), "two");
  assert.equal((await json("POST", secrets, [{ name: "api_key", value: "three", scopes: [] }])).status, 400);
  assert.equal((await call("DELETE", `${secrets}/${id}`)).status, 200);
  assert.match(await result(name, "get"), /not found/);
  assert.equal((await call("DELETE", `${secrets}/${id}`)).status, 404);
});

test("what bindings received can be deleted, and only a known type can be read", async () => {
  assert.equal((await call("GET", "/local/received?type=queue")).status, 400);
  assert.equal((await call("DELETE", "/local/received?type=pipelines")).status, 200);
  assert.deepEqual((await call("GET", "/local/received?type=pipelines")).result, []);
});
