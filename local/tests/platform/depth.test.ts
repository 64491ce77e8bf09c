import assert from "node:assert/strict";
import { test } from "node:test";
import { deploy, scriptName, visit } from "./platform.ts";

/** A Worker that calls itself without an end, in the way that the path names. `/count` returns and resets the number of its invocations. */
function recursive(name: string): string {
  return `
    import { WorkerEntrypoint } from "cloudflare:workers";
    let count = 0;
    const SELF = "dev.${name}.do";
    const failure = ({ message }) => message;
    export class Named extends WorkerEntrypoint {
      async fetch(request) { count += 1; return await this.ctx.exports.Named.fetch(request); }
      async call() { count += 1; return await this.ctx.exports.Named.call(); }
    }
    export default { async fetch(request, env, context) {
      const { pathname } = new URL(request.url);
      if (pathname === "/count") { const result = String(count); count = 0; return new Response(result); }
      if (pathname === "/headers") return Response.json([...request.headers.keys()]);
      count += 1;
      if (pathname === "/fetch") return await fetch("https://" + SELF + "/fetch");
      if (pathname === "/exports") return await context.exports.default.fetch(request);
      if (pathname === "/named") return new Response(await context.exports.Named.fetch(request).then((response) => response.text(), failure));
      if (pathname === "/call") return new Response(await context.exports.Named.call().catch(failure));
      if (pathname === "/socket") {
        const socket = new WebSocket("wss://" + SELF + "/socket");
        return await new Promise((resolve) => socket.addEventListener("error", ({ message }) => resolve(new Response(message))));
      }
    } };`;
}

const EXCEEDED = /Subrequest depth limit exceeded/;

test("a recursion through Workers ends at the platform's limit of 32 invocations", async () => {
  const name = scriptName();
  const deployed = await deploy(name, { "index.js": recursive(name) }, { compatibility_date: "2026-06-01" });
  assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
  const count = async () => Number((await visit(name, "/count")).text);
  await count();
  // Each level has two invocations, the dispatch Worker and the Worker.
  assert.equal((await visit(name, "/fetch")).status, 502);
  assert.equal(await count(), 16);
  assert.equal((await visit(name, "/exports")).status, 502);
  assert.equal(await count(), 31);
  assert.match((await visit(name, "/named")).text, EXCEEDED);
  assert.equal(await count(), 31);
  await visit(name, "/socket");
  assert.equal(await count(), 16);
});

test("a recursion through RPC ends", async () => {
  const name = scriptName();
  await deploy(name, { "index.js": recursive(name) }, { compatibility_date: "2026-06-01" });
  assert.match((await visit(name, "/call")).text, EXCEEDED);
  assert.equal((await visit(name, "/headers")).status, 200);
});

test("a client cannot set the count, and a Worker does not see it", async () => {
  const name = scriptName();
  await deploy(name, { "index.js": recursive(name) }, { compatibility_date: "2026-06-01" });
  const { status, text } = await visit(name, "/headers", { "X-Local-Platform-Depth": "1000", "X-Other": "1" });
  assert.equal(status, 200);
  assert.ok(JSON.parse(text).includes("x-other"));
  assert.ok(!text.includes("x-local-platform"));
  await visit(name, "/count");
  await visit(name, "/fetch", { "X-Local-Platform-Depth": "-1000" });
  assert.equal((await visit(name, "/count")).text, "16");
});
