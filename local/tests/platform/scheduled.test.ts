import assert from "node:assert/strict";
import { test } from "node:test";
import { call, deploy, scriptName, NAMESPACE } from "./platform.ts";
import { deployWorker, visitWorker, workerCall, workerName } from "./account-worker.ts";

/** Stores what its `scheduled` handler gets in a Durable Object, and returns it to a request. */
const CRON_WORKER = `
import { DurableObject } from "cloudflare:workers";
export class Log extends DurableObject {
  async add(entry) { await this.ctx.storage.put("log", [...await this.read(), entry]); }
  async read() { return (await this.ctx.storage.get("log")) ?? []; }
}
export default {
  async fetch(request, env) { return Response.json(await env.LOG.getByName("a").read()); },
  async scheduled(controller, env, context) {
    if (controller.cron === "0 0 1 1 *") throw new Error("new year");
    if (controller.cron === "0 0 2 1 *") controller.noRetry();
    context.waitUntil(env.LOG.getByName("a").add({ cron: controller.cron, time: controller.scheduledTime }));
  },
};`;
const METADATA = {
  bindings: [{ type: "durable_object_namespace", name: "LOG", class_name: "Log" }],
  migrations: { new_tag: "v1", steps: [{ new_sqlite_classes: ["Log"] }] },
};
const TIME = Date.UTC(2026, 0, 5, 12, 30);

async function run(query: Record<string, string>) {
  return await call("POST", `/local/scheduled?${new URLSearchParams(query).toString()}`);
}

test("the scheduled handler of an account Worker runs on request", async () => {
  const script = workerName();
  await deployWorker(script, { "index.js": CRON_WORKER }, METADATA);
  const ran = await run({ script, cron: "30 12 * * MON", time: String(TIME) });
  assert.deepEqual(ran.result, { outcome: "ok", noRetry: false });
  assert.deepEqual(JSON.parse((await visitWorker(script)).text), [{ cron: "30 12 * * MON", time: TIME }]);
  assert.equal((await run({ script, cron: "0 0 1 1 *" })).result.outcome, "exception");
  assert.deepEqual((await run({ script, cron: "0 0 2 1 *" })).result, { outcome: "ok", noRetry: true });
});

test("the scheduled handler of a Worker in a namespace runs on request", async () => {
  const script = scriptName();
  await deploy(script, { "index.js": CRON_WORKER }, METADATA);
  assert.equal((await run({ namespace: NAMESPACE, script })).result.outcome, "ok");
  assert.equal((await run({ script })).errors[0]?.code, 10007, "without a namespace it is an account Worker");
});

test("a run of what does not exist is refused", async () => {
  const script = workerName();
  await deployWorker(script, { "index.js": "export default { fetch() { return new Response(''); } };" });
  assert.notEqual((await run({ script })).result?.outcome, "ok", "there is no scheduled handler");
  assert.match((await run({})).errors[0]?.message ?? "", /\?script=/);
  assert.equal((await run({ script: "unknown-worker" })).errors[0]?.code, 10007);
  assert.equal((await run({ script, namespace: "other" })).errors[0]?.code, 10090);
  assert.equal((await run({ script, namespace: "@account" })).success, false);
  assert.match((await run({ script, cron: "soon" })).errors[0]?.message ?? "", /"soon" is invalid/);
  assert.match((await run({ script, time: "x" })).errors[0]?.message ?? "", /milliseconds/);
});

test("the crons of a Worker are replaced, and deleted with it", async () => {
  const script = workerName();
  await deployWorker(script, { "index.js": CRON_WORKER }, METADATA);
  const crons = ["*/5 * * * *", "0 9 * * MON-FRI", "0 0 L * *", "0 0 15W * *", "30 1 * JAN 1#2", "0 0 * * 6L"];
  const put = await workerCall("PUT", script, "/schedules", crons.map((cron) => ({ cron })));
  assert.deepEqual(put.errors, []);
  const shown = async () => (await workerCall("GET", script, "/schedules")).result.schedules.map(({ cron }: { cron: string }) => cron);
  assert.deepEqual(await shown(), crons);
  await workerCall("PUT", script, "/schedules", [{ cron: "0 0 * * *" }]);
  assert.deepEqual(await shown(), ["0 0 * * *"]);
  await workerCall("DELETE", script);
  await deployWorker(script, { "index.js": CRON_WORKER }, METADATA);
  assert.deepEqual(await shown(), []);
});

test("invalid crons are refused, and the earlier ones stay", async () => {
  const script = workerName();
  await deployWorker(script, { "index.js": CRON_WORKER }, METADATA);
  await workerCall("PUT", script, "/schedules", [{ cron: "0 0 * * *" }]);
  for (const cron of ["* * * *", "* * * * * *", "60 * * * *", "* * * * 0", "* * * * 8", "* * 31 2 *", "@daily", "", "x".repeat(300)]) {
    const refused = await workerCall("PUT", script, "/schedules", [{ cron }]);
    assert.equal(refused.errors[0]?.code, 10100, cron);
  }
  assert.equal((await workerCall("PUT", script, "/schedules", [{ cron: "* * * * *" }, { cron: "* * * * *" }])).success, false);
  assert.equal((await workerCall("PUT", script, "/schedules", [{}])).success, false);
  const many = Array.from({ length: 1001 }, (_, index) => ({ cron: `${index % 60} ${Math.floor(index / 60)} * * *` }));
  assert.equal((await workerCall("PUT", script, "/schedules", many)).errors[0]?.code, 10072);
  assert.equal((await workerCall("GET", script, "/schedules")).result.schedules.length, 1);
  assert.equal((await workerCall("PUT", "unknown-worker", "/schedules", [])).errors[0]?.code, 10007);
});
