import assert from "node:assert/strict";
import { after, test } from "node:test";
import { WORKERS, deployWorker, visitWorker, workerCall, workerName } from "./account-worker.ts";
import { answering, call, deploy, scriptCall, scriptName, uploadForm, visit, visitHost } from "./platform.ts";

test("an account Worker is served at its address, and is no Worker of a namespace", async () => {
  const name = workerName();
  const deployed = await deployWorker(name, { "index.js": answering("{ url: request.url, cache: typeof caches.default.match }") });
  assert.deepEqual(deployed.errors, []);
  const answer = await visitWorker(name, "/a?b=c");
  assert.equal(answer.text, `{"url":"http://${name}.workers.dev.localhost:8787/a?b=c","cache":"function"}`);
  assert.equal((await visit(name)).status, 404, "the dispatch Worker does not find it");
  assert.equal((await scriptCall("GET", name)).errors[0]?.code, 10092);
  const listed = await call("GET", `${WORKERS}/scripts`);
  assert.ok(listed.result.some(({ id }: { id: string }) => id === name));
});

test("a Worker of a namespace with the same name is another Worker", async () => {
  const name = workerName();
  after(() => scriptCall("DELETE", name));
  await deployWorker(name, { "index.js": answering("'account'") });
  await deploy(name, { "index.js": answering("'namespace'") });
  assert.equal((await visitWorker(name)).text, '"account"');
  assert.equal((await visit(name)).text, '"namespace"');
  assert.equal((await workerCall("DELETE", name)).success, true);
  assert.equal((await visitWorker(name)).status, 404);
  assert.equal((await visit(name)).text, '"namespace"');
});

test("an address without a Worker, or one that is disabled, is a readable 404", async () => {
  const name = workerName();
  const unknown = await visitWorker(name);
  assert.equal(unknown.status, 404);
  assert.match(unknown.text, new RegExp(`no account Worker ${name}.*wrangler deploy`));
  await workerCall("PUT", name, "", uploadForm({ main_module: "index.js" }, { "index.js": answering("1") }));
  const disabled = await visitWorker(name);
  assert.equal(disabled.status, 404);
  assert.match(disabled.text, /"workers_dev": true/);
  assert.deepEqual((await workerCall("GET", name, "/subdomain")).result, { enabled: false, previews_enabled: false });
  await workerCall("POST", name, "/subdomain", { enabled: true, previews_enabled: false });
  assert.equal((await visitWorker(name)).text, "1");
  assert.equal((await call("GET", `${WORKERS}/workers/${name}`)).result.subdomain.enabled, true);
  await workerCall("DELETE", name, "/subdomain");
  assert.equal((await visitWorker(name)).status, 404);
  for (const host of ["workers.dev.localhost", `a.${name}.workers.dev.localhost`]) {
    const answer = await visitHost(host);
    assert.equal(answer.status, 404, host);
    assert.match(answer.text, /not the address of a Worker/, host);
  }
});

test("the API is not reached through the address of an account Worker", async () => {
  const name = workerName();
  await deployWorker(name, { "index.js": answering("new URL(request.url).pathname") });
  for (const path of ["/client/v4/user", "/account/client/v4/user", "/v1/policy", "/client/v4/local/isolates"]) {
    assert.equal((await visitWorker(name, path)).text, JSON.stringify(path));
  }
});

test("an exception of an account Worker is a 500 that names it", async () => {
  const name = workerName();
  await deployWorker(name, { "index.js": "export default { fetch() { throw new Error('broken'); } };" });
  const answer = await visitWorker(name);
  assert.equal(answer.status, 500);
  assert.match(answer.text, new RegExp(`${name} threw an exception: Error: broken`));
});

test("a version is uploaded, deployed and rolled back", async () => {
  const name = workerName();
  const secret = { type: "secret_text", name: "KEY", text: "s" };
  const module = (text: string) => ({ "index.js": answering(`'${text} ' + env.KEY`) });
  const first = (await deployWorker(name, module("one"), { bindings: [secret] })).result.deployment_id;
  const form = uploadForm({ main_module: "index.js", keep_bindings: ["secret_text"], annotations: { "workers/message": "m" } }, module("two"));
  const uploaded = await workerCall("POST", name, "/versions", form);
  assert.deepEqual(uploaded.errors, []);
  assert.equal(uploaded.result.number, 2);
  assert.equal((await visitWorker(name)).text, '"one s"', "an uploaded version is not live");
  const second = uploaded.result.id;
  const deployment = { strategy: "percentage", versions: [{ version_id: second, percentage: 100 }], annotations: { "workers/message": "go" } };
  const deployed = await workerCall("POST", name, "/deployments", deployment);
  assert.deepEqual(deployed.result.versions, [{ version_id: second, percentage: 100 }]);
  assert.equal((await visitWorker(name)).text, '"two s"');
  await workerCall("POST", name, "/deployments", { versions: [{ version_id: first, percentage: 100 }] });
  assert.equal((await visitWorker(name)).text, '"one s"');
  const { deployments } = (await workerCall("GET", name, "/deployments")).result;
  assert.deepEqual(
    deployments.map(({ versions, annotations }: any) => [versions[0].version_id, annotations["workers/message"]]),
    [
      [first, undefined],
      [second, "go"],
      [first, undefined],
    ],
  );
  const { items } = (await workerCall("GET", name, "/versions?deployable=true")).result;
  assert.deepEqual(items.map(({ id, number }: any) => [id, number]), [[second, 2], [first, 1]]);
  const shown = (await workerCall("GET", name, `/versions/${second}`)).result;
  assert.equal(shown.annotations["workers/message"], "m");
  assert.deepEqual(shown.resources.bindings, [{ type: "secret_text", name: "KEY" }]);
});

test("a deployment of an unknown version, of two versions or past a migration is refused", async () => {
  const name = workerName();
  const object = "export class Counter {}; export default { fetch() {} };";
  const first = (await deployWorker(name, { "index.js": object })).result.deployment_id;
  const unknown = { version_id: crypto.randomUUID(), percentage: 100 };
  const gradual = [{ version_id: first, percentage: 50 }, { version_id: first, percentage: 50 }];
  assert.equal((await workerCall("POST", name, "/deployments", { versions: [unknown] })).status, 404);
  assert.match((await workerCall("POST", name, "/deployments", { versions: gradual })).errors[0]?.message ?? "", /gradual/);
  assert.equal((await workerCall("POST", name, "/deployments", { versions: [] })).errors[0]?.code, 10026);
  await deployWorker(name, { "index.js": object }, { migrations: { new_tag: "v1", steps: [{ new_sqlite_classes: ["Counter"] }] } });
  const back = await workerCall("POST", name, "/deployments", { versions: [{ version_id: first, percentage: 100 }] });
  assert.match(back.errors[0]?.message ?? "", /before a Durable Object migration/);
  const form = uploadForm({ main_module: "index.js", migrations: { new_tag: "v2", steps: [] } }, { "index.js": object });
  assert.match((await workerCall("POST", name, "/versions", form)).errors[0]?.message ?? "", /wrangler deploy/);
});

test("secrets, settings and tags of an account Worker", async () => {
  const name = workerName();
  assert.equal((await workerCall("PUT", name, "/secrets", { name: "KEY", text: "x" })).errors[0]?.code, 10007);
  await deployWorker(name, { "index.js": answering("env.KEY ?? null") });
  await workerCall("PUT", name, "/secrets", { name: "KEY", text: "one", type: "secret_text" });
  assert.equal((await visitWorker(name)).text, '"one"');
  assert.deepEqual((await workerCall("GET", name, "/secrets")).result, [{ name: "KEY", type: "secret_text" }]);
  const secrets = [{ name: "OTHER", type: "secret_text", text: "two" }, { name: "KEY", type: "secret_text" }];
  const form = new FormData();
  form.set("settings", JSON.stringify({ bindings: secrets }));
  assert.deepEqual((await workerCall("PATCH", name, "/settings", form)).errors, []);
  assert.equal((await visitWorker(name)).text, '"one"', "a binding with a name and a type only stays");
  await workerCall("DELETE", name, "/secrets/KEY");
  assert.equal((await visitWorker(name)).text, "null");
  const settings = { tags: ["a"], observability: { enabled: true } };
  assert.deepEqual((await workerCall("PATCH", name, "/script-settings", settings)).result, {
    logpush: false,
    tail_consumers: [],
    ...settings,
  });
  const service = (await call("GET", `${WORKERS}/services/${name}`)).result;
  assert.deepEqual(service.default_environment.script.tags, ["a"]);
  assert.equal(service.default_environment.script.id, name);
});

test("routes and custom domains of a deploy and tails are refused by name", async () => {
  const name = workerName();
  await deployWorker(name, { "index.js": answering("1") });
  for (const answer of [
    await workerCall("PUT", name, "/routes", ["example.com/*"]),
    await workerCall("POST", name, "/domains/changeset", []),
    await workerCall("PUT", name, "/domains/records", {}),
  ]) {
    assert.equal(answer.errors[0]?.code, 10901);
    assert.match(answer.errors[0]?.message ?? "", /workers_dev/);
  }
  assert.match((await workerCall("POST", name, "/tails", {})).errors[0]?.message ?? "", /npm run dev/);
});

const TARGET = `
import { WorkerEntrypoint, RpcTarget } from "cloudflare:workers";
class Counter extends RpcTarget { #n = 0; increment() { return ++this.#n; } }
export class Admin extends WorkerEntrypoint {
  role() { return this.ctx.props.role; }
  fetch(request) { return new Response("admin " + this.ctx.props.role + " " + new URL(request.url).pathname); }
}
export default class extends WorkerEntrypoint {
  add(a, b) { return a + b; }
  counter() { return new Counter(); }
  get version() { return "V"; }
  fail() { throw new RangeError("no"); }
  async call(callback) { return await callback(20) + 1; }
  fetch(request) { return new Response("target V " + new URL(request.url).pathname); }
}`;

const CALLER = `
const results = async ({ TARGET, ADMIN }) => [
  await (await TARGET.fetch("http://any.host/x")).text(),
  await TARGET.add(1, 2),
  await TARGET.counter().increment(),
  await TARGET.version,
  await TARGET.call((n) => n * 2),
  await TARGET.fail().catch((cause) => cause.name + " " + cause.message),
  await ADMIN.role(),
  await (await ADMIN.fetch("http://any.host/y")).text(),
];
export default { async fetch(request, env) { return Response.json(await results(env)); } };`;

const EXPECTED = ["target V /x", 3, 1, "V", 41, "RangeError no", "owner", "admin owner /y"];

test("service bindings to an account Worker: fetch, RPC, entrypoint and props, from an account Worker and from a namespace", async () => {
  const [target, caller, script] = [workerName(), workerName(), scriptName()];
  await deployWorker(target, { "index.js": TARGET });
  const bindings = [
    { type: "service", name: "TARGET", service: target },
    { type: "service", name: "ADMIN", service: target, entrypoint: "Admin", props: { role: "owner" } },
  ];
  assert.deepEqual((await deployWorker(caller, { "index.js": CALLER }, { bindings })).errors, []);
  assert.deepEqual(JSON.parse((await visitWorker(caller)).text), EXPECTED);
  assert.deepEqual((await deploy(script, { "index.js": CALLER }, { bindings })).errors, []);
  assert.deepEqual(JSON.parse((await visit(script)).text), EXPECTED);

  await deployWorker(target, { "index.js": TARGET.replaceAll('"V"', '"W"').replaceAll("V ", "W ") });
  const next = EXPECTED.map((value) => (typeof value === "string" ? value.replace("V", "W") : value));
  assert.deepEqual(JSON.parse((await visitWorker(caller)).text), next, "the next call gets the new version");
  assert.deepEqual(JSON.parse((await visit(script)).text), next);

  const { incoming } = (await workerCall("GET", target, "/references")).result.services;
  assert.deepEqual(incoming.map(({ name }: any) => name).sort(), [caller, `${script} (dotdo-development)`].sort());
  await workerCall("DELETE", target);
  const gone = await visitWorker(caller);
  assert.match(gone.text, new RegExp(`binding TARGET, the account Worker ${target}, was deleted`));
});

test("a service binding to a missing Worker is refused, and one to the Worker itself is not", async () => {
  const [name, script] = [workerName(), scriptName()];
  const bindings = [{ type: "service", name: "API", service: name }];
  const missing = await deploy(script, { "index.js": answering("1") }, { bindings });
  assert.equal(missing.errors[0]?.code, 10143);
  assert.match(missing.errors[0]?.message ?? "", new RegExp(`^Service binding 'API' references Worker '${name}' which was not found`));
  await deploy(script, { "index.js": answering("1") });
  const own = await deploy(script, { "index.js": answering("1") }, { bindings: [{ type: "service", name: "API", service: script }] });
  assert.equal(own.errors[0]?.code, 10143, "a Worker of the same namespace is not an account Worker");
  const code = "export default { async fetch(request, env) { return new URL(request.url).pathname === '/' ? env.API.fetch('http://x/1') : new Response('self'); } };";
  assert.deepEqual((await deployWorker(name, { "index.js": code }, { bindings })).errors, []);
  assert.equal((await visitWorker(name)).text, "self");
});

test("a cycle of service bindings ends at the platform's limit", async () => {
  const name = workerName();
  const code = "export default { async fetch(request, env) { return await env.SELF.fetch(request); } };";
  await deployWorker(name, { "index.js": code }, { bindings: [{ type: "service", name: "SELF", service: name }] });
  const answer = await visitWorker(name);
  assert.equal(answer.status, 500);
  assert.match(answer.text, /Subrequest depth limit exceeded/);
});

test("static assets and Durable Objects of an account Worker", async () => {
  const name = workerName();
  const code = `import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject { async next() { const n = (await this.ctx.storage.get("n") ?? 0) + 1; await this.ctx.storage.put("n", n); return n; } }
    export default { async fetch(request, env) { return Response.json(await env.COUNTER.getByName("a").next()); } };`;
  const bindings = [{ type: "durable_object_namespace", name: "COUNTER", class_name: "Counter" }];
  const migrations = { new_tag: "v1", steps: [{ new_sqlite_classes: ["Counter"] }] };
  assert.deepEqual((await deployWorker(name, { "index.js": code }, { bindings, migrations })).errors, []);
  assert.equal((await visitWorker(name)).text, "1");
  const hash = "a".repeat(32);
  const session = await workerCall("POST", name, "/assets-upload-session", { manifest: { "/hello.txt": { hash, size: 2 } } });
  const form = new FormData();
  form.set(hash, new File([btoa("hi")], hash, { type: "text/plain" }));
  const headers = { authorization: `Bearer ${session.result.jwt}` };
  const { jwt } = (await call("POST", `${WORKERS}/assets/upload?base64=true`, { body: form, headers })).result;
  assert.deepEqual((await deployWorker(name, { "index.js": code }, { bindings, assets: { jwt } })).errors, []);
  assert.equal((await visitWorker(name, "/hello.txt")).text, "hi");
  assert.equal((await visitWorker(name, "/other")).text, "2", "the objects keep their data");
});

/** Stores the traces that its `tail` handler gets in a Durable Object, and returns them to a request. */
const TAIL = `
import { DurableObject } from "cloudflare:workers";
export class Log extends DurableObject {
  async add(events) { await this.ctx.storage.put("log", [...await this.read(), ...events]); }
  async read() { return (await this.ctx.storage.get("log")) ?? []; }
}
export default {
  async fetch(request, env) { return Response.json(await env.LOG.getByName("a").read()); },
  async tail(events, env) {
    const plain = JSON.stringify(events.map((event) => ({ ...event, url: event.event?.request?.getUnredacted().url })));
    await env.LOG.getByName("a").add(JSON.parse(plain));
  },
};`;

/** The traces that a consumer has, when they are at least `count`. */
async function traces(consumer: string, count: number): Promise<any[]> {
  for (;;) {
    const events = JSON.parse((await visitWorker(consumer)).text);
    if (events.length >= count) return events;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("a tail consumer gets the traces of account Workers and of Workers in namespaces", { timeout: 30_000 }, async () => {
  const [consumer, producer, script] = [workerName(), workerName(), scriptName()];
  const tail_consumers = [{ service: consumer }];
  const code = "export default { fetch(request) { console.log('seen', new URL(request.url).pathname); if (request.url.endsWith('/fail')) throw new Error('broken'); return new Response('ok'); } };";
  const refused = await deployWorker(producer, { "index.js": code }, { tail_consumers });
  assert.match(refused.errors[0]?.message ?? "", new RegExp(`tail consumer '${consumer}' was not found`));
  await deployWorker(consumer, { "index.js": TAIL }, {
    bindings: [{ type: "durable_object_namespace", name: "LOG", class_name: "Log" }],
    migrations: { new_tag: "v1", steps: [{ new_sqlite_classes: ["Log"] }] },
  });
  const { deployment_id } = (await deployWorker(producer, { "index.js": code }, { tail_consumers })).result;
  assert.equal((await visitWorker(producer, "/a")).text, "ok");
  await visitWorker(producer, "/fail");
  const [first, second] = await traces(consumer, 2);
  assert.equal(first.scriptName, producer);
  assert.equal(first.dispatchNamespace, undefined);
  assert.deepEqual(first.scriptVersion, { id: deployment_id });
  assert.equal(first.outcome, "ok");
  assert.deepEqual(first.logs[0].message, ["seen", "/a"]);
  assert.equal(first.event.response.status, 200);
  assert.match(first.url, /\/a$/);
  assert.equal(second.outcome, "exception");
  assert.equal(second.exceptions[0].message, "broken");

  await deploy(script, { "index.js": code }, { tail_consumers });
  await visit(script, "/b");
  const third = (await traces(consumer, 3))[2];
  assert.equal(third.scriptName, script);
  assert.equal(third.dispatchNamespace, "dotdo-development");

  const producers = (await call("GET", `${WORKERS}/tails/by-consumer/${consumer}`)).result;
  assert.equal(producers.length, 2);
  await workerCall("PATCH", producer, "/script-settings", { tail_consumers: [] });
  await visitWorker(producer, "/c");
  await visit(script, "/d");
  const last = await traces(consumer, 4);
  assert.deepEqual(last.map(({ logs }) => logs[0].message[1]), ["/a", "/fail", "/b", "/d"], "tails are switched off without a deploy");
});
