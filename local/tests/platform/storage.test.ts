import assert from "node:assert/strict";
import { test } from "node:test";
import { deploy, scriptName, visit, visitHost } from "./platform.ts";

const id = `storage-${process.pid}-${Date.now()}`;

/** A Worker that runs an expression with the query's `value`, and answers its result. */
function worker(expression: string): string {
  return `export default { async fetch(request, env) {
    const value = new URL(request.url).searchParams.get("value");
    return Response.json(await (async () => ${expression})());
  } };`;
}

const KV = { type: "kv_namespace", name: "KV", namespace_id: id };

test("KV: the same id is the same namespace for every Worker and version, another id is not", async () => {
  const [writer, reader] = [scriptName(), scriptName()];
  const write = `env.KV.put("shared", value)`;
  await deploy(writer, { "index.js": worker(write) }, { bindings: [KV] });
  const read = worker(`[await env.STORE.get("shared"), await env.OTHER.get("shared")]`);
  const bindings = [
    { ...KV, name: "STORE" },
    { ...KV, name: "OTHER", namespace_id: `${id}-other` },
  ];
  await deploy(reader, { "index.js": read }, { bindings });
  await visit(writer, "/?value=first");
  assert.equal((await visit(reader)).text, '["first",null]');
  // A new version of the writer, which keeps the binding by its name.
  const inherited = { bindings: [{ type: "inherit", name: "KV" }] };
  await deploy(writer, { "index.js": worker(`${write}.then(() => env.KV.get("shared"))`) }, inherited);
  assert.equal((await visit(writer, "/?value=second")).text, '"second"');
  assert.equal((await visit(reader)).text, '["second",null]');
});

test("KV: a script in the service-worker format has the namespace as a global", async () => {
  const name = scriptName();
  const script = `addEventListener("fetch", (event) => event.respondWith((async () => {
    await CACHE.put("global", "value");
    return new Response(await CACHE.get("global"));
  })()));`;
  const bindings = [{ ...KV, name: "CACHE" }];
  const deployed = await deploy(name, { "index.js": { type: "application/javascript", content: script } }, {
    body_part: "index.js",
    bindings,
  });
  assert.deepEqual(deployed.errors, []);
  assert.equal((await visit(name)).text, "value");
});

test("KV: user Workers do not reach the namespaces of the platform", async () => {
  const name = scriptName();
  // The dispatch Worker's namespace of custom hostnames, in the same storage.
  const bindings = [{ ...KV, namespace_id: "hostnames" }];
  const target = JSON.stringify({ worker: name, environment: "development" });
  const write = `env.KV.put("hostname:stolen.example", ${JSON.stringify(target)})`;
  await deploy(name, { "index.js": worker(write) }, { bindings });
  assert.equal((await visit(name)).status, 200);
  assert.equal((await visitHost("stolen.example")).status, 404);
});

test("KV: the oldest compatibility date has the whole binding", async () => {
  const name = scriptName();
  const expression = `(await env.KV.put("old", "ä", { metadata: { m: "ü" } }), [
    await env.KV.get("old"), (await env.KV.getWithMetadata("old")).metadata, (await env.KV.get(["old"])).get("old"),
    (await env.KV.list({ prefix: "old" })).keys])`;
  const metadata = { bindings: [KV], compatibility_date: "2021-11-02" };
  const deployed = await deploy(name, { "index.js": worker(expression) }, metadata);
  assert.deepEqual(deployed.errors, []);
  assert.equal((await visit(name)).text, '["ä",{"m":"ü"},"ä",[{"name":"old","metadata":{"m":"ü"}}]]');
});
