import assert from "node:assert/strict";
import { test } from "node:test";
import { deployWorker, visitWorker, workerName } from "./account-worker.ts";
import { answering, deploy, scriptCall, scriptName, visit } from "./platform.ts";

const BINDINGS = [{ type: "durable_object_namespace", name: "COUNTERS", class_name: "Counter" }];
const FIRST = { new_tag: "v1", steps: [{ new_sqlite_classes: ["Counter"] }] };

/** A script whose Durable Objects count; `release` is what it says of itself. */
function counter(release: string, className = "Counter"): string {
  return `
    import { DurableObject } from "cloudflare:workers";
    export class ${className} extends DurableObject {
      async next() {
        const count = (await this.ctx.storage.get("count") ?? 0) + 1;
        await this.ctx.storage.put("count", count);
        return { count, id: String(this.ctx.id), release: "${release}", sees: Object.keys(this.env) };
      }
      fail() { throw new RangeError("no more"); }
      async fetch(request) { return new Response(request.method + " " + new URL(request.url).pathname + " " + await request.text()); }
    }
    export default { async fetch(request, env) {
      const { pathname } = new URL(request.url);
      const stub = env.COUNTERS.getByName("x");
      if (pathname === "/fail") return new Response(await stub.fail().catch((cause) => cause.name + ": " + cause.message));
      if (pathname === "/fetch") return stub.fetch("http://object/path", { method: "POST", body: "body" });
      return Response.json(await stub.next());
    } };`;
}

test("a Durable Object keeps its state through requests and deploys, and runs the newest code", async () => {
  const name = scriptName();
  const deployed = await deploy(name, { "index.js": counter("one") }, { bindings: BINDINGS, migrations: FIRST });
  assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
  const first = JSON.parse((await visit(name)).text);
  assert.deepEqual([first.count, first.release, first.sees], [1, "one", ["COUNTERS"]]);
  assert.equal(JSON.parse((await visit(name)).text).count, 2);
  assert.equal((await visit(name, "/fetch")).text, "POST /path body");
  assert.equal((await visit(name, "/fail")).text, "RangeError: no more");

  assert.equal((await scriptCall("GET", name)).result.script.migration_tag, "v1");
  assert.equal((await deploy(name, { "index.js": counter("two") }, { bindings: BINDINGS })).status, 200);
  const third = JSON.parse((await visit(name)).text);
  assert.deepEqual([third.count, third.release, third.id], [3, "two", first.id]);
});

test("a class keeps its objects through a rename", async () => {
  const name = scriptName();
  await deploy(name, { "index.js": counter("one") }, { bindings: BINDINGS, migrations: FIRST });
  await visit(name);
  const renamed = await deploy(
    name,
    { "index.js": counter("two", "Tally") },
    {
      bindings: [{ ...BINDINGS[0], class_name: "Tally" }],
      migrations: { old_tag: "v1", new_tag: "v2", steps: [{ renamed_classes: [{ from: "Counter", to: "Tally" }] }] },
    },
  );
  assert.equal(renamed.status, 200, JSON.stringify(renamed.errors));
  assert.equal(JSON.parse((await visit(name)).text).count, 2);
});

test("the objects of two scripts have nothing in common", async () => {
  const names = [scriptName(), scriptName()];
  for (const name of names) {
    await deploy(name, { "index.js": counter("one") }, { bindings: BINDINGS, migrations: FIRST });
    assert.equal(JSON.parse((await visit(name)).text).count, 1);
  }
});

test("a Worker of a namespace uses the objects of an account Worker, in its newest version", async () => {
  const [account, name] = [workerName(), scriptName()];
  const bound = [{ ...BINDINGS[0], script_name: account }];
  const caller = { "index.js": counter("caller").replace("export class", "class") };
  const early = await deploy(name, caller, { bindings: bound });
  assert.equal(early.errors[0]?.code, 10061);
  assert.match(early.errors[0]?.message ?? "", new RegExp(`class 'Counter' in script '${account}'`));
  await deployWorker(account, { "index.js": counter("one") }, { bindings: BINDINGS, migrations: FIRST });
  assert.deepEqual((await deploy(name, caller, { bindings: bound })).errors, []);
  assert.equal(JSON.parse((await visitWorker(account)).text).count, 1);
  const second = JSON.parse((await visit(name)).text);
  assert.deepEqual([second.count, second.release], [2, "one"]);
  assert.equal((await visit(name, "/fetch")).text, "POST /path body");
  await deployWorker(account, { "index.js": counter("two") }, { bindings: BINDINGS });
  const third = JSON.parse((await visit(name)).text);
  assert.deepEqual([third.count, third.release], [3, "two"]);
});

test("migrations are checked", async () => {
  const name = scriptName();
  const source = { "index.js": counter("one") };
  const code = async (metadata: Record<string, unknown>, parts = source) =>
    (await deploy(name, parts, metadata)).errors[0]?.code;
  assert.equal(await code({ bindings: BINDINGS }), 10061, "a class without a migration");
  assert.equal(await code({ bindings: BINDINGS, migrations: FIRST }), undefined);
  assert.equal(await code({ bindings: BINDINGS, migrations: FIRST }), 10079, "the same migrations again");
  assert.equal(
    await code({ migrations: { old_tag: "v1", new_tag: "v2", new_classes: ["Counter"] } }),
    10074,
    "a class that there is",
  );
  assert.equal(await code({}, { "index.js": answering("1") }), 10061, "a class that is no longer exported");
});
