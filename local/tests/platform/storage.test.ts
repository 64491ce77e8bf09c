import assert from "node:assert/strict";
import { createHash } from "node:crypto";
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

const R2 = { type: "r2_bucket", name: "R2", bucket_name: id };

test("R2: the same name is the same bucket for every Worker, and a jurisdiction has its own buckets", async () => {
  const [writer, reader] = [scriptName(), scriptName()];
  await deploy(writer, { "index.js": worker(`(await env.R2.put("shared", value)).size`) }, { bindings: [R2] });
  const bindings = [R2, { ...R2, name: "EU", jurisdiction: "eu" }];
  const read = worker(`[await (await env.R2.get("shared")).text(), await env.EU.get("shared")]`);
  const deployed = await deploy(reader, { "index.js": read }, { bindings });
  assert.deepEqual(deployed.errors, []);
  assert.equal((await visit(writer, "/?value=photo")).text, "5");
  assert.equal((await visit(reader)).text, '["photo",null]');
});

test("R2: request and response bodies are streamed, whole and in ranges", async () => {
  const name = scriptName();
  const source = `export default { async fetch(request, env) {
    if (request.method === "POST") {
      const { size, etag } = await env.R2.put("large", request.body, { httpMetadata: request.headers });
      return Response.json({ size, etag });
    }
    const object = await env.R2.get("large", { range: request.headers, onlyIf: request.headers });
    const headers = new Headers({ etag: object.httpEtag });
    object.writeHttpMetadata(headers);
    return new Response(object.body, { status: object.body ? 200 : 304, headers });
  } };`;
  await deploy(name, { "index.js": source }, { bindings: [R2] });
  const bytes = Buffer.alloc(40 * 1024 * 1024, "0123456789");
  const etag = createHash("md5").update(bytes).digest("hex");
  const stored = await visit(name, "/", { "content-type": "text/digits" }, { method: "POST", body: bytes });
  assert.equal(stored.text, JSON.stringify({ size: bytes.byteLength, etag }));
  const whole = await visit(name);
  assert.equal(createHash("md5").update(whole.text).digest("hex"), etag);
  assert.equal(whole.headers["content-type"], "text/digits");
  assert.equal((await visit(name, "/", { range: "bytes=1000000-1000004" })).text, "01234");
  assert.equal((await visit(name, "/", { "if-none-match": `"${etag}"` })).status, 304);
});

test("R2: a Worker that cancels a body, or an upload that ends early, harms no other request", { timeout: 60_000 }, async () => {
  const name = scriptName();
  const source = `export default { async fetch(request, env) {
    if (new URL(request.url).pathname === "/cancel") {
      await env.R2.put("cancelled", "0123456789".repeat(1_000_000));
      await (await env.R2.get("cancelled")).body.cancel();
    }
    if (new URL(request.url).pathname === "/early") {
      const { readable, writable } = new FixedLengthStream(1_000_000);
      const stored = env.R2.put("early", readable).catch((error) => error);
      const writer = writable.getWriter();
      await writer.write(new Uint8Array(10));
      await writer.abort(new Error("gone")).catch(() => {});
      if (!((await stored) instanceof Error)) return new Response("stored", { status: 500 });
    }
    return Response.json([await env.R2.head("early"), (await env.R2.put("small", "x")).size]);
  } };`;
  await deploy(name, { "index.js": source }, { bindings: [R2] });
  for (const path of ["/cancel", "/early", "/"]) assert.equal((await visit(name, path)).text, "[null,1]", path);
});

test("D1: the same id is the same database for every Worker, and the binding of the platform is not in env", async () => {
  const [writer, reader] = [scriptName(), scriptName()];
  const bindings = [{ type: "d1", name: "DB", id }];
  const write = `env.DB.exec("CREATE TABLE t (a); INSERT INTO t VALUES (7)")`;
  await deploy(writer, { "index.js": worker(write) }, { bindings });
  await deploy(reader, { "index.js": worker(`[Object.keys(env), await env.DB.prepare("SELECT a FROM t").first("a")]`) }, { bindings });
  assert.equal((await visit(writer)).status, 200);
  assert.equal((await visit(reader)).text, '[["DB"],7]');
});
