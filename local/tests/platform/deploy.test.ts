import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  ACCOUNT,
  NAMESPACE,
  answering,
  call,
  deploy,
  scriptCall,
  scriptJson,
  scriptName,
  visit,
  type Envelope,
} from "./platform.ts";

function refusedWith(answer: Envelope, code: number, message: RegExp): void {
  assert.equal(answer.success, false);
  assert.equal(answer.errors[0]?.code, code, JSON.stringify(answer.errors));
  assert.match(answer.errors[0]?.message ?? "", message);
}

/** A module with the function add(i32, i32). */
const ADD_WASM = Uint8Array.from(
  Buffer.from("0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b", "hex"),
);

test("every kind of module is loaded", async () => {
  const name = scriptName();
  const main = `
    import text from "./text.txt"; import data from "./data.bin"; import add from "./lib/add.wasm";
    import common from "./common.cjs"; import settings from "./settings.json"; import { sub } from "./lib/sub.mjs";
    ${answering("{ text, data: [...new Uint8Array(data)], sum: new WebAssembly.Instance(add).exports.add(2, 3), common, settings, sub }")}`;
  const deployed = await deploy(name, {
    "index.js": main,
    "text.txt": { type: "text/plain", content: "text" },
    "data.bin": { type: "application/octet-stream", content: Uint8Array.of(0, 1, 255) },
    "lib/add.wasm": { type: "application/wasm", content: ADD_WASM },
    "common.cjs": {
      type: "application/javascript",
      content: "module.exports = { answer: require('./other.cjs').answer };",
    },
    "other.cjs": { type: "application/javascript", content: "exports.answer = 42;" },
    "settings.json": { type: "application/json", content: '{"a":[1]}' },
    "lib/sub.mjs": "export const sub = 'sub';",
    "index.js.map": { type: "application/source-map", content: "{}" },
  });
  assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
  assert.deepEqual(JSON.parse((await visit(name)).text), {
    text: "text",
    data: [0, 1, 255],
    sum: 5,
    common: { answer: 42 },
    settings: { a: [1] },
    sub: "sub",
  });
});

test("a script as large as the platform allows is stored, started and read back whole", async () => {
  const name = scriptName();
  const noise = new Uint8Array(9 * 1024 * 1024 + 1);
  for (let at = 0; at < noise.length; at += 65536) crypto.getRandomValues(noise.subarray(at, at + 65536));
  const digest = `[...new Uint8Array(await crypto.subtle.digest("SHA-256", noise))].map((byte) => byte.toString(16).padStart(2, "0")).join("")`;
  const deployed = await deploy(name, {
    "index.js": `import noise from "./noise.bin"; ${answering(digest)}`,
    "noise.bin": { type: "application/octet-stream", content: noise },
  });
  assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
  assert.equal(JSON.parse((await visit(name)).text), createHash("sha256").update(noise).digest("hex"));
});

test("bindings and compatibility flags reach the script", async () => {
  const name = scriptName();
  const bindings = [
    { type: "plain_text", name: "TEXT", text: "text" },
    { type: "json", name: "JSON_VALUE", json: { deep: [1, null] } },
    { type: "secret_text", name: "SECRET", text: "secret" },
    { type: "version_metadata", name: "VERSION" },
  ];
  const source = `import { Buffer } from "node:buffer"; ${answering("{ ...env, hex: Buffer.from('x').toString('hex') }")}`;
  const deployed = await deploy(
    name,
    { "index.js": source },
    { bindings, compatibility_flags: ["nodejs_compat"], annotations: { "workers/tag": "v1" } },
  );
  assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
  const seen = JSON.parse((await visit(name)).text);
  assert.deepEqual([seen.TEXT, seen.JSON_VALUE, seen.SECRET, seen.hex], ["text", { deep: [1, null] }, "secret", "78"]);
  assert.equal(seen.VERSION.id, deployed.result.deployment_id);
  assert.equal(seen.VERSION.tag, "v1");
});

test("a script in the service-worker format is served", async () => {
  const name = scriptName();
  const script =
    "undeclared = 1; addEventListener('fetch', (event) => event.respondWith(new Response(TEXT + BLOB + typeof add.exports + undeclared)));";
  const deployed = await deploy(
    name,
    {
      script: { type: "application/javascript", content: `var add = new WebAssembly.Instance(ADD); ${script}` },
      blob: { type: "text/plain", content: "blob" },
      wasm: { type: "application/wasm", content: ADD_WASM },
    },
    {
      body_part: "script",
      bindings: [
        { type: "plain_text", name: "TEXT", text: "text " },
        { type: "text_blob", name: "BLOB", part: "blob" },
        { type: "wasm_module", name: "ADD", part: "wasm" },
      ],
    },
  );
  assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
  assert.equal((await visit(name)).text, "text blobobject1");
});

test("a script that does not start is refused with its own error text, and the one before stays", async () => {
  const name = scriptName();
  await deploy(name, { "index.js": answering("'before'") });
  const start = (source: string, metadata = {}) => deploy(name, { "index.js": source }, metadata);
  refusedWith(
    await start("\nthrow new TypeError('boom at start');"),
    10021,
    /^Uncaught TypeError: boom at start\n  at index\.js:2:7/,
  );
  refusedWith(await start("export default {"), 10021, /SyntaxError/);
  refusedWith(await start("import './missing.js'; export default {};"), 10021, /No such module "missing\.js"/);
  refusedWith(await start("await new Promise(() => {}); export default {};"), 10021, /await/);
  refusedWith(await start("export const nothing = 1;"), 10068, /no registered event handlers/);
  refusedWith(await start(answering("1"), { compatibility_date: "2999-01-01" }), 10021, /2999-01-01/);
  refusedWith(await start(answering("1"), { compatibility_flags: ["no_such_flag"] }), 10021, /no_such_flag/);
  refusedWith(await start(answering("1"), { main_module: "other.js" }), 10021, /"other\.js" as the main module/);
  assert.equal((await visit(name)).text, '"before"');
});

test("a module that is not what its content type says is refused", async () => {
  const broken = (name: string, type: string) =>
    deploy(scriptName(), { "index.js": answering("1"), [name]: { type, content: "{" } });
  refusedWith(await broken("settings.json", "application/json"), 10021, /settings\.json is not JSON/);
  refusedWith(await broken("broken.wasm", "application/wasm"), 10021, /./);
  refusedWith(await broken("strange.bin", "application/x-strange"), 10021, /strange\.bin/);
});

test("a script is started once to be tried, and none of its handlers is called", async () => {
  const name = scriptName();
  const deployed = await deploy(name, { "index.js": `let calls = 0; ${answering("++calls")}` });
  assert.equal(deployed.status, 200);
  assert.equal((await visit(name)).text, "1");
});

test("a binding that is not simulated is refused by its name", async () => {
  const bindings = [{ type: "vectorize", name: "JOBS", index_name: "x" }];
  refusedWith(
    await deploy(scriptName(), { "index.js": answering("1") }, { bindings }),
    10901,
    /JOBS of type "vectorize"/,
  );
});

test("secrets survive a deploy that keeps them, and no other", async () => {
  const name = scriptName();
  await deploy(name, { "index.js": answering("env") });
  await scriptJson("PUT", name, "/secrets", { name: "KEY", text: "hunter2", type: "secret_text" });
  await deploy(name, { "index.js": answering("env") }, { keep_bindings: ["secret_text", "secret_key"] });
  assert.equal((await visit(name)).text, '{"KEY":"hunter2"}');
  const bindings = [{ type: "inherit", name: "RENAMED", old_name: "KEY" }];
  await deploy(name, { "index.js": answering("env") }, { bindings }, "?bindings_inherit=strict");
  assert.equal((await visit(name)).text, '{"RENAMED":"hunter2"}');
  refusedWith(
    await deploy(name, { "index.js": answering("env") }, { bindings }, "?bindings_inherit=strict"),
    10057,
    /no binding KEY/,
  );
  await deploy(name, { "index.js": answering("env") });
  assert.equal((await visit(name)).text, "{}");
});

test("secrets of a script that there is not, or in the place of another binding, are refused", async () => {
  const secret = { name: "KEY", text: "x", type: "secret_text" };
  refusedWith(await scriptJson("PUT", scriptName(), "/secrets", secret), 10092, /does not exist/);
  const name = scriptName();
  await deploy(name, { "index.js": answering("env") }, { bindings: [{ type: "plain_text", name: "KEY", text: "x" }] });
  refusedWith(await scriptJson("PUT", name, "/secrets", secret), 10057, /already in use/);
  refusedWith(await scriptCall("DELETE", name, "/secrets/OTHER"), 10056, /OTHER/);
});

test("a script sees its own bindings and exports and nothing of the platform's", async () => {
  const name = scriptName();
  const source = `import { env as imported } from "cloudflare:workers"; const early = Object.keys(imported); ${answering("{ env, early, same: Object.keys(imported) }")}`;
  await deploy(name, { "index.js": source }, { bindings: [{ type: "plain_text", name: "ONLY", text: "x" }] });
  assert.deepEqual(JSON.parse((await visit(name)).text), { env: { ONLY: "x" }, early: ["ONLY"], same: ["ONLY"] });
});

test("scripts run under the compatibility date they were written for", async () => {
  const name = scriptName();
  const source = answering("{ url: new URL('http://a/b').pathname, form: typeof FormData }");
  const deployed = await deploy(name, { "index.js": source }, { compatibility_date: "2021-11-02" });
  assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
  assert.equal(JSON.parse((await visit(name)).text).url, "/b");
});

test("today is a compatibility date, however old the runtime is; tomorrow is none", async () => {
  const name = scriptName();
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  const deployed = await deploy(name, { "index.js": answering("'today'") }, { compatibility_date: day(0) });
  assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
  assert.equal((await visit(name)).text, '"today"');
  assert.equal((await scriptCall("GET", name, "/settings")).result.compatibility_date, day(0));
  refusedWith(
    await deploy(name, { "index.js": answering("1") }, { compatibility_date: day(2) }),
    10021,
    new RegExp(day(2)),
  );
});

test("the Cache API keeps responses, and all scripts of a namespace share it", async () => {
  const [writer, reader] = [scriptName(), scriptName()];
  const url = `http://cache.invalid/${writer}`;
  const put = `await caches.default.put("${url}", new Response("kept", { headers: { "cache-control": "max-age=60", "x-kept": "yes" } }))`;
  await deploy(writer, {
    "index.js": answering(
      `[${put}, await caches.default.delete("${url}x"), (await (await caches.open("named")).match("${url}")) === undefined]`,
    ),
  });
  assert.equal((await visit(writer)).text, "[null,false,true]");
  const match = `await caches.default.match(new Request("${url}")).then(async (found) => [await found?.text(), found?.headers.get("x-kept")])`;
  await deploy(reader, { "index.js": answering(match) });
  assert.equal((await visit(reader)).text, '["kept","yes"]');
});

test("a request of one script to another's host stays on this machine", async () => {
  const [caller, called] = [scriptName(), scriptName()];
  await deploy(called, { "index.js": answering("[request.method, request.url, await request.text()]") });
  const request = `await (await fetch("https://dev.${called}.do/path?query", { method: "POST", body: "body" })).json()`;
  await deploy(caller, { "index.js": answering(request) });
  assert.deepEqual(JSON.parse((await visit(caller)).text), ["POST", `https://dev.${called}.do/path?query`, "body"]);
});

test("deploys at once are put in an order, and none is lost or mixed with another", async () => {
  const name = scriptName();
  const modules = (number: number) => ({
    "index.js": `import part from "./part.txt"; ${answering(`[${number}, part]`)}`,
    "part.txt": { type: "text/plain", content: String(number) },
  });
  const deployed = await Promise.all(Array.from({ length: 6 }, (_, number) => deploy(name, modules(number))));
  for (const { status, errors } of deployed) assert.equal(status, 200, JSON.stringify(errors));
  assert.equal(new Set(deployed.map(({ result }) => result.deployment_id)).size, 6);
  const [number, part] = JSON.parse((await visit(name)).text);
  assert.equal(String(number), part);
  const { result } = await scriptCall("GET", name);
  assert.equal(result.script.deployment_id, deployed[number]?.result.deployment_id);
});

test("changes of different kinds at once are all kept", async () => {
  const name = scriptName();
  await deploy(name, { "index.js": answering("env") });
  const letters = ["A", "B", "C", "D"];
  const changes = await Promise.all([
    ...letters.map((letter) =>
      scriptJson("PUT", name, "/secrets", { name: letter, text: letter, type: "secret_text" }),
    ),
    ...letters.map((letter) => scriptCall("PUT", name, `/tags/${letter}`)),
  ]);
  for (const { status, errors } of changes) assert.equal(status, 200, JSON.stringify(errors));
  assert.deepEqual(Object.keys(JSON.parse((await visit(name)).text)).sort(), letters);
  assert.deepEqual([...(await scriptCall("GET", name, "/tags")).result].sort(), letters);
});

test("a deploy is live on the next request, while requests are running", async () => {
  const name = scriptName();
  await deploy(name, { "index.js": answering("0") });
  let done = false;
  let newest = 0;
  const traffic = (async () => {
    while (!done) {
      const { status, text } = await visit(name);
      assert.equal(status, 200);
      assert.ok(Number(text) >= newest, `${text} after ${newest}`);
      newest = Number(text);
    }
  })();
  for (let number = 1; number <= 5; number += 1) {
    await deploy(name, { "index.js": answering(String(number)) });
    assert.equal((await visit(name)).text, String(number));
  }
  done = true;
  await traffic;
});

test("scripts are listed by tag and in pages, and deleted by tag", async () => {
  const tag = `list-${process.pid}`;
  const names = [scriptName(), scriptName(), scriptName()].sort();
  for (const [index, name] of names.entries()) {
    await deploy(name, { "index.js": answering("1") }, { tags: index === 0 ? [tag, "first"] : [tag] });
  }
  const scripts = `/accounts/${ACCOUNT}/workers/dispatch/namespaces/${NAMESPACE}/scripts`;
  const ids = (answer: Envelope) => answer.result.map(({ id }: { id: string }) => id);
  const first = await call("GET", `${scripts}?tags=${tag}:yes&limit=2`);
  assert.deepEqual(ids(first), names.slice(0, 2));
  const second = await call(
    "GET",
    `${scripts}?tags=${tag}:yes&limit=2&cursor=${encodeURIComponent(first.result_info?.cursor ?? "")}`,
  );
  assert.deepEqual(ids(second), names.slice(2));
  assert.equal(second.result_info?.cursor, undefined);
  assert.deepEqual(ids(await call("GET", `${scripts}?tags=${tag}:yes,first:no`)), names.slice(1));
  refusedWith(await call("GET", `${scripts}?limit=0`), 10026, /limit/);
  refusedWith(await call("DELETE", scripts), 10076, /by tags/);
  assert.equal((await call("DELETE", `${scripts}?tags=${tag}:yes,first:no`)).success, true);
  assert.deepEqual(ids(await call("GET", `${scripts}?tags=${tag}:yes`)), names.slice(0, 1));
});

test("a script that there is not", async () => {
  const name = scriptName();
  for (const [method, path] of [
    ["GET", ""],
    ["DELETE", ""],
    ["GET", "/content"],
    ["GET", "/settings"],
    ["GET", "/bindings"],
    ["GET", "/secrets"],
    ["GET", "/tags"],
  ] as const) {
    const answer = await scriptCall(method, name, path);
    assert.equal(answer.status, 404, `${method} ${path}`);
    refusedWith(answer, 10092, /does not exist/);
  }
  refusedWith(await deploy("Upper", { "index.js": answering("1") }), 10016, /not a script name/);
  refusedWith(await scriptCall("POST", name), 10405, /POST is not possible/);
});

test("what the dispatch Worker passed to get is on record", async () => {
  const name = scriptName();
  const deployed = await deploy(name, { "index.js": answering("1") });
  await visit(name);
  const { result } = await call("GET", `/local/dispatches?namespace=${NAMESPACE}&script=${name}`);
  assert.equal(result.length, 1);
  assert.equal(result[0].version, deployed.result.deployment_id);
  assert.ok("args" in result[0] && "limits" in result[0] && "outbound" in result[0]);
});
