import assert from "node:assert/strict";
import { test } from "node:test";
import { deploy, scriptName, visit } from "./platform.ts";

const TARGET = {
  "index.js": `
    import { WorkerEntrypoint } from "cloudflare:workers";
    let count = 0;
    export default class extends WorkerEntrypoint {
      async fetch(request) {
        count += 1;
        if (new URL(request.url).pathname === "/count") { const result = String(count - 1); count = 0; return new Response(result); }
        return this.env.OTHER === undefined ? new Response("target") : await this.env.OTHER.fetch(request);
      }
      get name() { return "target"; }
    }`,
};

/** A Worker that responds with what a request and a property of another Worker return. */
const CALLER = {
  "index.js": `export default { async fetch(request, { OTHER }) {
    const failure = ({ message }) => message;
    return Response.json({
      fetched: await OTHER.fetch("https://other/").then((response) => response.text(), failure),
      read: await OTHER.name.catch(failure),
    });
  } };`,
};

/** The binding that the deploy API sends to Cloudflare, with these props. */
function bound(props: unknown): Record<string, unknown> {
  return { type: "service", name: "OTHER", service: "dispatcher", entrypoint: "NamespaceService", ...(props === undefined ? {} : { props }) };
}

test("a binding of the deploy API reaches the Worker of its props", async () => {
  const [target, caller] = [scriptName(), scriptName()];
  await deploy(target, TARGET);
  await deploy(caller, CALLER, { bindings: [bound({ environment: "development", worker: target })] });
  assert.deepEqual(JSON.parse((await visit(caller)).text), { fetched: "target", read: "target" });
});

test("a binding to the dispatch Worker itself reaches Workers by their hosts", async () => {
  const [target, caller] = [scriptName(), scriptName()];
  await deploy(target, TARGET);
  const binding = { type: "service", name: "OTHER", service: "dispatcher" };
  const source = `export default { fetch: (request, { OTHER }) => OTHER.fetch("https://dev.${target}.do/") };`;
  await deploy(caller, { "index.js": source }, { bindings: [binding] });
  assert.equal((await visit(caller)).text, "target");
});

test("the dispatch Worker refuses props that are missing or invalid", async () => {
  const [target, caller] = [scriptName(), scriptName()];
  await deploy(target, TARGET);
  const environment = "development";
  const invalid = [
    undefined,
    {},
    { environment },
    { worker: target },
    { environment: "__proto__", worker: target },
    { environment: "DEVELOPMENT", worker: target },
    { environment, worker: [target] },
    { environment, worker: "../x" },
    { environment, worker: `${target}--x` },
    { environment, worker: target, limits: {} },
  ];
  for (const props of invalid) {
    await deploy(caller, CALLER, { bindings: [bound(props)] });
    const { fetched, read } = JSON.parse((await visit(caller)).text) as Record<string, string>;
    assert.match(String(fetched), /needs the props that the deploy API sets/, JSON.stringify(props));
    assert.equal(read, fetched);
  }
});

test("a cycle of requests ends at the platform's limit, with two invocations for each", async () => {
  const name = scriptName();
  await deploy(name, TARGET, { bindings: [bound({ environment: "development", worker: name })] });
  await visit(name, "/count");
  assert.equal((await visit(name)).status, 502);
  assert.equal(Number((await visit(name, "/count")).text), 16);
});

test("a binding to a Worker of the namespace is refused with the deploy API as its alternative", async () => {
  const [target, caller] = [scriptName(), scriptName()];
  await deploy(target, TARGET);
  for (const [binding, advice] of [
    [{ type: "service", name: "OTHER", service: target }, /without `--api rest`/],
    [{ ...bound({}), entrypoint: "LocalServices" }, /no entrypoint LocalServices/],
  ] as const) {
    const refused = await deploy(caller, CALLER, { bindings: [binding] });
    assert.equal(refused.status, 400);
    assert.match(JSON.stringify(refused.errors), advice);
  }
});
