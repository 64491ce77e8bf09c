import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { BASE_URL, Connection, NAMESPACE, answering, call, deploy, scriptCall, scriptJson, scriptName, visit } from "./platform.ts";

/** The versions of a script whose isolates run, the replaced ones first. Ends isolates that are not used. */
async function isolates(script: string): Promise<{ version: string; kind: string; used: boolean }[]> {
  return (await call("GET", `/local/isolates?namespace=${NAMESPACE}&script=${script}`)).result;
}

/** Waits until only the isolates of the live version run. */
async function replacedHaveEnded(script: string): Promise<void> {
  while (new Set((await isolates(script)).map(({ version }) => version)).size > 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Deploys an answer, requests it, and waits until the isolate of the version before has ended. */
async function replace(script: string, answer: string): Promise<void> {
  assert.equal((await deploy(script, { "index.js": answering(JSON.stringify(answer)) })).status, 200);
  assert.equal((await visit(script)).text, JSON.stringify(answer));
  await replacedHaveEnded(script);
}

/** A server of the test, to which Workers send requests. `answer` responds to the request of a path. */
class Server {
  readonly url: string;
  readonly #waiting = new Map<string, PromiseWithResolvers<http.ServerResponse>>();

  static async start(): Promise<Server> {
    const server = http.createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    after(() => server.close());
    return new Server(server);
  }

  private constructor(server: http.Server) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => this.#at(request.url ?? "").resolve(response));
  }

  /** Responds to the request of a path, which may come later. */
  async answer(path: string): Promise<void> {
    (await this.#at(path).promise).end();
  }

  #at(path: string): PromiseWithResolvers<http.ServerResponse> {
    const waiting = this.#waiting.get(path) ?? Promise.withResolvers<http.ServerResponse>();
    this.#waiting.set(path, waiting);
    return waiting;
  }
}

test("a replaced version ends, and one isolate serves the live version", async () => {
  const name = scriptName();
  for (const release of ["one", "two", "three"]) await replace(name, release);
  await visit(name);
  assert.deepEqual(
    (await isolates(name)).map(({ kind, used }) => [kind, used]),
    [["script", true]],
  );
  assert.equal((await scriptJson("PUT", name, "/secrets", { name: "S", text: "s", type: "secret_text" })).status, 200);
  assert.equal((await visit(name)).text, '"three"');
  await replacedHaveEnded(name);
});

test("a response that is being sent when its version is replaced ends normally", async () => {
  const name = scriptName();
  const echo = "export default { fetch(request) { return new Response(request.body); } };";
  await deploy(name, { "index.js": echo });
  const { hostname, port } = new URL(BASE_URL);
  const request = http.request({ hostname, port, method: "POST", headers: { host: `dev.${name}.do` } });
  request.write("before ");
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  const chunks = response.setEncoding("utf8")[Symbol.asyncIterator]();
  assert.equal((await chunks.next()).value, "before ");
  await replace(name, "two");
  request.end("after");
  assert.equal((await chunks.next()).value, "after");
  assert.equal((await chunks.next()).done, true);
});

test("a WebSocket stays connected when its version is replaced", async () => {
  const name = scriptName();
  const echo = `export default { fetch() {
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    server.addEventListener("message", ({ data }) => server.send("one " + data));
    return new Response(null, { status: 101, webSocket: client });
  } };`;
  await deploy(name, { "index.js": echo });
  const socket = await Connection.open(name);
  socket.send("a");
  assert.equal(await socket.receive(), "one a");
  await replace(name, "two");
  socket.send("b");
  assert.equal(await socket.receive(), "one b");
  socket.close();
});

test("`waitUntil` work ends before its replaced version does", async () => {
  const name = scriptName();
  const server = await Server.start();
  const working = `export default { fetch(request, env, context) {
    context.waitUntil(fetch("${server.url}/first").then(() => fetch("${server.url}/second")));
    return new Response("one");
  } };`;
  await deploy(name, { "index.js": working });
  assert.equal((await visit(name)).text, "one");
  await deploy(name, { "index.js": answering('"two"') });
  assert.equal((await visit(name)).text, '"two"');
  assert.deepEqual(
    (await isolates(name)).map(({ used }) => used),
    [false, true],
  );
  await server.answer("/first");
  await server.answer("/second");
  await replacedHaveEnded(name);
});

test("a class as default export runs, also in a frozen object, and its `waitUntil` work is counted", async () => {
  const name = scriptName();
  const server = await Server.start();
  const entrypoint = `import { WorkerEntrypoint } from "cloudflare:workers";
    export default class extends WorkerEntrypoint {
      fetch() { this.ctx.waitUntil(fetch("${server.url}/first")); return new Response("class " + this.env.A); }
    }`;
  await deploy(name, { "index.js": entrypoint }, { bindings: [{ type: "plain_text", name: "A", text: "a" }] });
  assert.equal((await visit(name)).text, "class a");
  const frozen = "export default Object.freeze({ name: 'frozen', fetch() { return new Response(this.name); } });";
  await deploy(name, { "index.js": frozen });
  assert.equal((await visit(name)).text, "frozen");
  assert.equal((await isolates(name)).length, 2);
  await server.answer("/first");
  await replacedHaveEnded(name);
});

test("a request that goes away while its version starts does not prevent the next start", async () => {
  const name = scriptName();
  const large = `export default { fetch() { return new Response(String(text.length)); } }; const text = ${JSON.stringify("x".repeat(3e6))};`;
  await deploy(name, { "index.js": large });
  const { hostname, port } = new URL(BASE_URL);
  for (const delay of [1, 3, 6, 10, 20]) {
    const request = http.get({ hostname, port, agent: false, headers: { host: `dev.${name}.do` } });
    request.on("error", () => undefined);
    await new Promise((resolve) => setTimeout(resolve, delay));
    request.destroy();
    assert.equal((await visit(name)).text, "3000000");
    await scriptJson("PUT", name, "/secrets", { name: "S", text: String(delay), type: "secret_text" });
  }
});

test("the isolates of a deleted script end", async () => {
  const name = scriptName();
  await deploy(name, { "index.js": answering('"one"') });
  await visit(name);
  assert.equal((await isolates(name)).length, 1);
  await scriptCall("DELETE", name);
  assert.equal((await visit(name)).status, 404);
  while ((await isolates(name)).length > 0) await new Promise((resolve) => setTimeout(resolve, 50));
});

test("a Worker that works without a pause does not keep the platform from serving others", async () => {
  const [busy, other] = [scriptName(), scriptName()];
  const code = (body: string) => ({ "index.js": `export default { async fetch(request, env) { ${body} } };` });
  await deploy(other, code(`return new Response("served");`));
  const bindings = [
    { type: "d1", name: "DB", id: busy },
    { type: "kv_namespace", name: "KV", namespace_id: busy.padStart(32, "0").slice(-32) },
  ];
  const loops = [
    `for (let n = 0; n < 1500; n += 1) await env.DB.prepare("select 1").first();`,
    `for (let n = 0; n < 1500; n += 1) await env.KV.get("key");`,
    `for (let n = 0; n < 1500; n += 1) await (await fetch("https://dev.${other}.do/")).text();`,
    `for (let n = 0; n < 1500; n += 1) await caches.default.match("https://example.com/");`,
  ];
  for (const loop of loops) {
    const deployed = await deploy(busy, code(`${loop} return new Response("done");`), { bindings });
    assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
    let isDone = false;
    const working = visit(busy, "/").finally(() => (isDone = true));
    let served = 0;
    while (!isDone) {
      assert.equal((await visit(other, "/")).text, "served");
      served += 1;
    }
    assert.equal((await working).text, "done");
    // Without turns it is one or two.
    assert.ok(served > 5, `${served} requests were served during ${loop}`);
  }
});
