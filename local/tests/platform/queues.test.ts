import assert from "node:assert/strict";
import { after, test } from "node:test";
import Cloudflare from "cloudflare";
import { ACCOUNT, BASE_URL, type Envelope, TOKEN, call, deploy, scriptName, uploadForm, visit, visitHost } from "./platform.ts";

const QUEUES = `/accounts/${ACCOUNT}/queues`;
const WORKERS = `/accounts/${ACCOUNT}/workers/scripts`;

/** Sends JSON to the REST API. */
async function json(method: string, path: string, body: unknown): Promise<Envelope> {
  return await call(method, path, { body: JSON.stringify(body), headers: { "content-type": "application/json" } });
}

/** The result of a call that succeeds. */
async function done(answer: Promise<Envelope>): Promise<any> {
  const { success, result, errors } = await answer;
  assert.ok(success, JSON.stringify(errors));
  return result;
}

let names = 0;

/** A queue that is deleted after the tests. */
async function newQueue(settings: object = {}): Promise<{ id: string; name: string; path: string }> {
  names += 1;
  const name = `q${process.pid}-${names}`;
  const { queue_id: id } = await done(json("POST", QUEUES, { queue_name: name, settings }));
  const path = `${QUEUES}/${id}`;
  after(() => call("DELETE", path));
  return { id, name, path };
}

/**
 * A module with a producer `QUEUE` and a handler that stores each batch and then runs `handle`. It answers `/?run=NAME` with the result of
 * one of its functions, and `/` with the batches that it got.
 */
function workerModule(handle: string): string {
  return `
    import { DurableObject } from "cloudflare:workers";
    export class Log extends DurableObject {
      add(entry) { const log = [...this.all(), entry]; this.ctx.storage.kv.put("log", log); return log.length; }
      all() { return this.ctx.storage.kv.get("log") ?? []; }
    }
    const describe = (body) => body instanceof ArrayBuffer ? { bytes: [...new Uint8Array(body)] }
      : body instanceof Map ? { map: [...body] } : body instanceof Date ? { date: body.toISOString() } : body;
    async function received(batch, env) {
      await env.LOG.getByName("log").add({
        queue: batch.queue, at: Date.now(), metadata: batch.metadata,
        messages: batch.messages.map(({ id, attempts, timestamp, body }) =>
          ({ id, attempts, timestamp: timestamp.getTime(), body: describe(body) })),
      });
    }
    const code = {
      async send({ QUEUE }) { return await QUEUE.send({ n: 1 }); },
      async types({ QUEUE }) {
        await QUEUE.send("text", { contentType: "text" });
        await QUEUE.send(new Uint8Array([1, 2, 255]), { contentType: "bytes" });
        await QUEUE.send({ json: [null, "ä"] }, { contentType: "JSON" });
        await QUEUE.send(new Map([["key", 1n.toString()]]), { contentType: "v8" });
        await QUEUE.send(new Date(0), { contentType: "v8" });
        await QUEUE.send({ date: new Date(0) });
      },
      async batch({ QUEUE }) {
        function* messages() { for (let n = 0; n < 25; n += 1) yield { body: n }; }
        return await QUEUE.sendBatch(messages());
      },
      async two({ QUEUE }) { await QUEUE.sendBatch([{ body: "a" }, { body: "b" }]); },
      async delayed({ QUEUE }) { await QUEUE.sendBatch([{ body: "late" }, { body: "now", delaySeconds: 0 }], { delaySeconds: 1 }); },
      async metrics({ QUEUE }) { return await QUEUE.metrics(); },
      async errors({ QUEUE }) {
        const tries = {
          undefined: () => QUEUE.send(), type: () => QUEUE.send(1, { contentType: "xml" }),
          text: () => QUEUE.send(1, { contentType: "text" }),
          bytes: () => QUEUE.send("x", { contentType: "bytes" }), function: () => QUEUE.send(() => 1, { contentType: "v8" }),
          large: () => QUEUE.send("x".repeat(128001), { contentType: "text" }),
          value: () => QUEUE.send("x".repeat(128000), { contentType: "v8" }),
          delay: () => QUEUE.send(1, { delaySeconds: 86401 }), negative: () => QUEUE.send(1, { delaySeconds: -1 }),
          empty: () => QUEUE.sendBatch([]), many: () => QUEUE.sendBatch(Array.from({ length: 101 }, () => ({ body: 1 }))),
          bytesOfBatch: () => QUEUE.sendBatch(Array.from({ length: 3 }, () => ({ body: "x".repeat(100000) }))),
        };
        const errors = {};
        const shown = (cause) => cause.name + ": " + cause.message;
        for (const [name, run] of Object.entries(tries)) errors[name] = await run().then(() => "none", shown);
        return errors;
      },
    };
    export default {
      async fetch(request, env) {
        const run = new URL(request.url).searchParams.get("run");
        if (run === null) return Response.json(await env.LOG.getByName("log").all());
        try { return Response.json(await code[run](env) ?? null); } catch (cause) { return new Response(String(cause), { status: 500 }); }
      },
      async queue(batch, env) { await received(batch, env); ${handle} },
    };`;
}

interface Batch {
  readonly queue: string;
  readonly at: number;
  readonly metadata: { readonly metrics: { readonly backlogCount: number } };
  readonly messages: readonly { id: string; attempts: number; timestamp: number; body: unknown }[];
}

/** Deploys an account Worker with a binding to a queue, whose handler runs `handle`. */
async function deployConsumer(name: string, queueName: string, handle: string, migrations?: object): Promise<void> {
  const bindings = [
    { type: "queue", name: "QUEUE", queue_name: queueName },
    { type: "durable_object_namespace", name: "LOG", class_name: "Log" },
  ];
  const metadata = { main_module: "index.js", compatibility_date: "2026-01-01", bindings, ...(migrations && { migrations }) };
  await done(call("PUT", `${WORKERS}/${name}`, { body: uploadForm(metadata, { "index.js": workerModule(handle) }) }));
}

/** Deploys an account Worker that produces and consumes a queue. */
async function consumed(
  queue: { readonly name: string; readonly path: string },
  handle: string,
  settings: object,
  consumer: object = {},
): Promise<string> {
  const name = `c${process.pid}-${(names += 1)}`;
  after(() => call("DELETE", `${WORKERS}/${name}`));
  await deployConsumer(name, queue.name, handle, { new_tag: "v1", steps: [{ new_sqlite_classes: ["Log"] }] });
  await done(call("POST", `${WORKERS}/${name}/subdomain`, { body: '{"enabled":true}' }));
  const request = { type: "worker", script_name: name, settings: { max_wait_time_ms: 0, ...settings }, ...consumer };
  await done(json("POST", `${queue.path}/consumers`, request));
  return name;
}

async function visitConsumer(script: string, path = "/") {
  return await visitHost(`${script}.workers.dev.localhost`, path);
}

async function run(script: string, code: string): Promise<any> {
  const { status, text } = await visitConsumer(script, `/?run=${code}`);
  assert.equal(status, 200, text);
  return JSON.parse(text);
}

/** The batches that a consumer got, as soon as `enough` holds. */
async function batches(script: string, enough: (batches: readonly Batch[]) => boolean): Promise<Batch[]> {
  for (let tries = 0; ; tries += 1) {
    const found = JSON.parse((await visitConsumer(script)).text) as Batch[];
    if (enough(found)) return found;
    assert.ok(tries < 200, `not enough batches: ${JSON.stringify(found)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const bodies = (found: readonly Batch[]) => found.flatMap(({ messages }) => messages.map(({ body }) => body));
const count = (least: number) => (found: readonly Batch[]) => bodies(found).length >= least;

/** Waits until a queue has no messages. */
async function empty(path: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const { backlog_count: left } = await done(call("GET", `${path}/metrics`));
    if (left === 0) return;
    assert.ok(tries < 200, `${left} messages are left`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("a consumer gets messages of every content type", async () => {
  const queue = await newQueue();
  const name = await consumed(queue, "", {});
  await run(name, "types");
  const found = await batches(name, count(6));
  const sorted = bodies(found).map((body) => JSON.stringify(body)).sort();
  const expected = [
    "text",
    { bytes: [1, 2, 255] },
    { json: [null, "ä"] },
    { map: [["key", "1"]] },
    { date: "1970-01-01T00:00:00.000Z" },
    { date: "1970-01-01T00:00:00.000Z" },
  ];
  assert.deepEqual(sorted, expected.map((body) => JSON.stringify(body)).sort());
  assert.equal(found[0]?.queue, queue.name);
  assert.match(found[0]?.messages[0]?.id ?? "", /^[0-9a-f]{32}$/);
  assert.equal(typeof found[0]?.metadata.metrics.backlogCount, "number");
  await empty(queue.path);
});

test("compatibility dates before 2024-03-18 send the runtime's own format by default", async () => {
  const queue = await newQueue();
  const name = scriptName();
  const script = `export default { async fetch(request, env) { await env.QUEUE.send(new Map()); return new Response("sent"); } };`;
  const bindings = [{ type: "queue", name: "QUEUE", queue_name: queue.name }];
  await done(deploy(name, { "index.js": script }, { bindings, compatibility_date: "2024-03-01" }));
  assert.equal((await visit(name)).text, "sent");
  const { messages } = await done(json("POST", `${queue.path}/messages/peek`, {}));
  assert.equal(messages[0].metadata["CF-Content-Type"], "v8");
});

test("a full batch is delivered at once, and the rest after the wait time", async () => {
  const queue = await newQueue();
  const name = await consumed(queue, "", { batch_size: 10, max_wait_time_ms: 1000 });
  const { metadata } = await run(name, "batch");
  assert.equal(metadata.metrics.backlogCount, 25);
  const found = await batches(name, count(25));
  assert.deepEqual(bodies(found).sort((a, b) => Number(a) - Number(b)), Array.from({ length: 25 }, (_, n) => n));
  assert.deepEqual(found.map(({ messages }) => messages.length).sort(), [10, 10, 5]);
  const last = found.find(({ messages }) => messages.length === 5);
  assert.ok((last?.at ?? 0) >= (last?.messages[0]?.timestamp ?? 0) + 1000);
});

test("delays of messages and of sendBatch", async () => {
  const queue = await newQueue({ delivery_delay: 86_400 });
  const name = await consumed(queue, "", {});
  await run(name, "delayed");
  await run(name, "send");
  const found = await batches(name, count(2));
  assert.deepEqual(bodies(found), ["now", "late"]);
  assert.ok((found[1]?.at ?? 0) >= (found[1]?.messages[0]?.timestamp ?? 0) + 1000);
});

test("a failed batch is delivered again up to the limit, and then its messages are in the dead-letter queue", async () => {
  const queue = await newQueue();
  names += 1;
  // Cloudflare creates it.
  const dead = `q${process.pid}-${names}-dead`;
  const name = await consumed(queue, `throw new Error("fails");`, { max_retries: 2 }, { dead_letter_queue: dead });
  await run(name, "two");
  const found = await batches(name, (all) => all.filter(({ messages }) => messages.some(({ attempts }) => attempts === 3)).length > 0);
  assert.deepEqual(found.map(({ messages }) => messages.map(({ attempts }) => attempts)), [[1, 1], [2, 2], [3, 3]]);
  await empty(queue.path);
  const [target] = await done(call("GET", `${QUEUES}?name=${dead}`));
  after(() => call("DELETE", `${QUEUES}/${target.queue_id}`));
  const { messages } = await done(json("POST", `${QUEUES}/${target.queue_id}/messages/peek`, {}));
  assert.deepEqual(messages.map(({ id }: { id: string }) => id), found[0]?.messages.map(({ id }) => id));
  assert.deepEqual(messages.map(({ body }: { body: string }) => atob(body)), ['"a"', '"b"']);
});

test("messages are acknowledged and retried one by one, also if the handler throws afterwards", async () => {
  const queue = await newQueue();
  const handle = `
    for (const message of batch.messages) {
      if (message.attempts === 1 && message.body === "a") message.retry({ delaySeconds: 1 }); else message.ack();
    }
    throw new Error("after all");`;
  const name = await consumed(queue, handle, {});
  await run(name, "two");
  const found = await batches(name, count(3));
  assert.deepEqual(bodies(found), ["a", "b", "a"]);
  assert.ok((found[1]?.at ?? 0) >= (found[0]?.at ?? 0) + 1000);
  await empty(queue.path);
});

test("ackAll and retryAll apply to the messages without another decision", async () => {
  const queue = await newQueue();
  const handle = `
    if (batch.messages[0].attempts > 1) return batch.ackAll();
    batch.messages[1].ack();
    batch.retryAll({ delaySeconds: 0 });`;
  const name = await consumed(queue, handle, { retry_delay: 600 });
  await run(name, "two");
  assert.deepEqual(bodies(await batches(name, count(3))), ["a", "b", "a"]);
  await empty(queue.path);
});

test("a consumer that does not end holds up neither other batches nor other queues", async () => {
  const [queue, other] = [await newQueue(), await newQueue()];
  const handle = `if (batch.messages[0].body?.n !== 1) await scheduler.wait(600_000);`;
  const name = await consumed(queue, handle, {});
  const free = await consumed(other, "", {});
  await run(name, "two");
  await batches(name, count(2));
  await Promise.all([run(name, "send"), run(free, "send")]);
  await batches(name, count(3));
  await batches(free, count(1));
  const { backlog_count: left } = await done(call("GET", `${queue.path}/metrics`));
  assert.equal(left, 2);
});

test("send and sendBatch refuse what Cloudflare refuses, with its texts", async () => {
  const queue = await newQueue();
  const name = await consumed(queue, "", {});
  const errors = await run(name, "errors");
  const expected = {
    undefined: /^TypeError: /,
    type: /^TypeError: Unsupported queue message content type: xml$/,
    text: /^TypeError: Content Type "text" requires a value of type string, but received: number$/,
    bytes: /^TypeError: Content Type "bytes" requires a value of type ArrayBufferView, but received: string$/,
    function: /^DataCloneError: .*could not be cloned/,
    large: /^Error: Queue send failed: Payload Too Large \(message length of 128001 bytes exceeds limit of 128000\)$/,
    value: /^Error: Queue send failed: Payload Too Large \(message length of 1280\d\d bytes/,
    delay: /^Error: Queue send failed: Bad Request \(message delay 86401 is invalid/,
    negative: /^Error: Queue send failed: Bad Request \(message delay -1 is invalid/,
    empty: /^TypeError: sendBatch\(\) requires at least one message$/,
    many: /^Error: Queue sendBatch failed: Payload Too Large \(batch message count of 101 exceeds limit of 100\)$/,
    bytesOfBatch: /^Error: Queue sendBatch failed: Payload Too Large \(batch size of 300006 bytes exceeds limit of 256000\)$/,
  };
  for (const [key, text] of Object.entries(expected)) assert.match(errors[key], text, key);
  assert.deepEqual(await run(name, "metrics"), { backlogCount: 0, backlogBytes: 0 });
});

test("with queue_expose_error_codes, which newer compatibility dates have, errors of send end with Cloudflare's code", async () => {
  const queue = await newQueue();
  const name = scriptName();
  const script = `export default { async fetch(request, { QUEUE }) {
    return await QUEUE.send("x".repeat(128_001)).catch(({ message }) => new Response(message));
  } };`;
  const bindings = [{ type: "queue", name: "QUEUE", queue_name: queue.name }];
  await done(deploy(name, { "index.js": script }, { bindings, compatibility_flags: ["queue_expose_error_codes"] }));
  assert.equal((await visit(name)).text, "message length of 128003 bytes exceeds limit of 128000 (10204)");
});

test("a deploy with a binding to a missing queue is refused, and a deleted queue fails when a Worker sends", async () => {
  const refused = await deploy(scriptName(), { "index.js": "export default { fetch() {} };" }, {
    bindings: [{ type: "queue", name: "QUEUE", queue_name: "missing" }],
  });
  assert.equal(refused.status, 400);
  assert.equal(refused.errors[0]?.code, 11000);
  assert.match(refused.errors[0]?.message ?? "", /Queue "missing" .* does not exist.* wrangler queues create missing/);
  const queue = await newQueue();
  const name = await consumed(queue, "", {});
  await done(call("DELETE", queue.path));
  const { status, text } = await visitConsumer(name, "/?run=send");
  assert.equal(status, 500);
  assert.match(text, /Queue send failed: Not Found/);
});

test("the next batch runs in the version of the last deploy", async () => {
  const queue = await newQueue();
  const name = await consumed(queue, "throw new Error();", { max_retries: 100, retry_delay: 1 });
  await run(name, "send");
  await batches(name, count(1));
  await deployConsumer(name, queue.name, "");
  await batches(name, count(2));
  await empty(queue.path);
});

test("messages wait while delivery is paused, and without a consumer", async () => {
  const queue = await newQueue();
  await done(json("POST", `${queue.path}/messages`, { body: "before", content_type: "text" }));
  await done(json("PATCH", queue.path, { queue_name: queue.name, settings: { delivery_paused: true } }));
  const name = await consumed(queue, "", {});
  await run(name, "send");
  assert.equal((await run(name, "metrics")).backlogCount, 2);
  assert.deepEqual(await batches(name, () => true), []);
  await done(json("PATCH", queue.path, { settings: { delivery_paused: false } }));
  assert.deepEqual(bodies(await batches(name, count(2))), ["before", { n: 1 }]);
});

test("a pull consumer leases, acknowledges and retries messages", async () => {
  const queue = await newQueue();
  const pull = (body: object) => done(json("POST", `${queue.path}/messages/pull`, body));
  assert.equal((await json("POST", `${queue.path}/messages/pull`, {})).status, 400);
  const settings = { max_retries: 1, visibility_timeout_ms: 60_000 };
  await done(json("POST", `${queue.path}/consumers`, { type: "http_pull", settings }));
  const sent = [{ body: { n: 1 } }, { body: "two", content_type: "text" }, { body: 3, delay_seconds: 600 }];
  const { metadata } = await done(json("POST", `${queue.path}/messages/batch`, { messages: sent }));
  assert.equal(metadata.metrics.backlog_count, 3);
  const first = await pull({ batch_size: 10 });
  assert.equal(first.message_backlog_count, 3);
  assert.deepEqual(first.messages.map(({ body }: { body: string }) => body), [btoa('{"n":1}'), "two"]);
  assert.deepEqual(first.messages.map(({ attempts }: { attempts: number }) => attempts), [1, 1]);
  assert.deepEqual((await pull({})).messages, []);
  const leases = first.messages.map(({ lease_id }: { lease_id: string }) => ({ lease_id }));
  const ack = { acks: [leases[0]], retries: [leases[1]] };
  assert.deepEqual(await done(json("POST", `${queue.path}/messages/ack`, ack)), { ackCount: 1, retryCount: 1, warnings: {} });
  const again = await done(json("POST", `${queue.path}/messages/ack`, ack));
  assert.deepEqual([again.ackCount, again.retryCount, Object.keys(again.warnings).length], [0, 0, 2]);
  const second = await pull({ visibility_timeout: 1 });
  assert.deepEqual(second.messages.map(({ body, attempts }: { body: string; attempts: number }) => [body, attempts]), [["two", 2]]);
  // The lease ends, and the message has no retry left.
  for (let tries = 0; (await pull({})).message_backlog_count !== 1; tries += 1) assert.ok(tries < 100);
});

test("max_concurrency bounds the batches that a Worker processes at the same time", async () => {
  const queue = await newQueue();
  const handle = `globalThis.running = (globalThis.running ?? 0) + 1;
    if (globalThis.running > 2) throw new Error("too many");
    await scheduler.wait(100);
    globalThis.running -= 1;`;
  const name = await consumed(queue, handle, { batch_size: 1, max_concurrency: 2, max_retries: 0 });
  await run(name, "batch");
  await batches(name, count(25));
  await empty(queue.path);
  assert.equal(bodies(await batches(name, count(25))).length, 25, "no batch failed");
});

test("Cloudflare's SDK manages a queue, and sends, pulls and acknowledges messages", async () => {
  const { queues } = new Cloudflare({ apiToken: TOKEN, baseURL: BASE_URL, maxRetries: 0 });
  const account = { account_id: ACCOUNT };
  names += 1;
  const { queue_id: id = "" } = await queues.create({ ...account, queue_name: `q${process.pid}-${names}` });
  after(() => call("DELETE", `${QUEUES}/${id}`));
  await queues.edit(id, { ...account, settings: { message_retention_period: 60 } });
  assert.equal((await queues.get(id, account)).settings?.message_retention_period, 60);
  const listed: (string | undefined)[] = [];
  for await (const { queue_id } of queues.list(account)) listed.push(queue_id);
  assert.ok(listed.includes(id));
  const consumer = await queues.consumers.create(id, { ...account, type: "http_pull", settings: { batch_size: 1 } });
  await queues.messages.bulkPush(id, { ...account, messages: [{ body: "one", content_type: "text" }, { body: 2, content_type: "json" }] });
  await queues.messages.push(id, { ...account, body: "three", content_type: "text" });
  assert.equal((await queues.getMetrics(id, account)).backlog_count, 3);
  const { messages = [] } = await queues.messages.pull(id, account);
  assert.deepEqual(messages.map(({ body }) => body), ["one"]);
  const acks = messages.map(({ lease_id = "" }) => ({ lease_id }));
  assert.equal((await queues.messages.ack(id, { ...account, acks })).ackCount, 1);
  const { messages: [peeked] = [] } = await queues.messages.peek(id, account);
  await queues.messages.purge(id, { ...account, refs: [{ ref: peeked?.ref ?? "" }] });
  assert.equal((await queues.getMetrics(id, account)).backlog_count, 1);
  await queues.purge.start(id, { ...account, delete_messages_permanently: true });
  assert.equal((await queues.getMetrics(id, account)).backlog_count, 0);
  await queues.consumers.delete(consumer.consumer_id ?? "", { ...account, queue_id: id });
  await queues.delete(id, account);
});

test("the settings of queues and consumers have Cloudflare's defaults, limits and codes", async () => {
  const queue = await newQueue();
  const shown = await done(call("GET", queue.path));
  assert.deepEqual(shown.settings, { delivery_delay: 0, delivery_paused: false, message_retention_period: 345_600 });
  const consumers = `${queue.path}/consumers`;
  const created = await done(json("POST", consumers, { type: "http_pull" }));
  assert.deepEqual(created.settings, { batch_size: 10, max_retries: 3, retry_delay: 0, visibility_timeout_ms: 30_000 });
  const refused = async (code: number, answer: Promise<Envelope>) => assert.equal((await answer).errors[0]?.code, code);
  await refused(11009, json("POST", QUEUES, { queue_name: queue.name }));
  await refused(10026, json("POST", QUEUES, { queue_name: "no spaces" }));
  await refused(100128, json("PATCH", queue.path, { settings: { message_retention_period: 59 } }));
  await refused(100128, json("PATCH", queue.path, { settings: { delivery_delay: 86_401 } }));
  await refused(11004, json("POST", consumers, { type: "http_pull" }));
  await refused(100127, json("PUT", `${consumers}/${created.consumer_id}`, { type: "http_pull", settings: { batch_size: 101 } }));
  await refused(100127, json("PUT", `${consumers}/${created.consumer_id}`, { type: "http_pull", dead_letter_queue: queue.name }));
  await refused(11000, call("GET", `${QUEUES}/${"0".repeat(32)}`));
  await done(call("DELETE", `${consumers}/${created.consumer_id}`));
  await refused(100127, json("POST", consumers, { type: "worker", script_name: "x", settings: { max_concurrency: 0 } }));
  await refused(10007, json("POST", consumers, { type: "worker", script_name: "no-such-worker" }));
  await refused(10204, json("POST", `${queue.path}/messages`, { body: "x".repeat(128_001), content_type: "text" }));
  await refused(10203, json("POST", `${queue.path}/messages`, { body: 1, content_type: "text" }));
  await refused(10206, json("POST", `${queue.path}/messages/batch`, { messages: [] }));
});

test("a queue is listed with its producers, shown with its messages, and purged", async () => {
  const queue = await newQueue();
  const name = await consumed(queue, "await scheduler.wait(600_000);", {});
  await run(name, "send");
  await batches(name, count(1));
  const [listed] = await done(call("GET", `${QUEUES}?name=${queue.name}&name=other`));
  assert.deepEqual(listed.producers, [{ type: "worker", script: name }]);
  assert.equal(listed.consumers_total_count, 1);
  const [shown] = await done(call("GET", `/local/queues?name=${queue.name}`));
  assert.deepEqual(shown.messages.map(({ state, body }: { state: string; body: string }) => [state, body]), [["in delivery", '{"n":1}']]);
  assert.equal((await json("POST", `${queue.path}/purge`, {})).status, 400);
  await done(json("POST", `${queue.path}/purge`, { delete_messages_permanently: true }));
  await empty(queue.path);
});
