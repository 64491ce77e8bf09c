import assert from "node:assert/strict";
import { test } from "node:test";
import { Admission } from "../src/admission.ts";
import { type Batch, Batches } from "../src/batches.ts";
import { type Message, Subscribers } from "../src/subscribers.ts";
import type { LogEvent } from "../src/types.ts";

/** Batches whose window ends when the test says so. */
function batches(deliver: (log: string, batch: Batch) => Promise<void>) {
  let end: () => void = () => undefined;
  const all = new Batches(deliver, () => new Promise<void>((resolve) => (end = resolve)));
  return { all, end: () => end() };
}

test("the events of many requests are one message to each log", async () => {
  const delivered: [string, Batch][] = [];
  const { all, end } = batches(async (log, batch) => void delivered.push([log, batch]));
  all.add("a", () => "1");
  const first = all.delivered();
  all.add("b", () => "2");
  await all.delivered();
  all.add("a", () => "3");
  await all.delivered();
  assert.equal(delivered.length, 0, "the other requests do not wait");
  end();
  await first;
  assert.deepEqual(
    delivered.map(([log, { events, dropped, isRepeated }]) => ({ log, events, dropped, isRepeated })),
    [
      { log: "a", events: ["1", "3"], dropped: 0, isRepeated: false },
      { log: "b", events: ["2"], dropped: 0, isRepeated: false },
    ],
  );
});

test("what is beyond the limit is not even written, and is counted", async () => {
  const delivered: Batch[] = [];
  const { all, end } = batches(async (_, batch) => void delivered.push(batch));
  let written = 0;
  for (let count = 0; count < 5000; count += 1) all.add("a", () => `${(written += 1)}`);
  const done = all.delivered();
  end();
  await done;
  assert.equal(delivered[0]?.events.length, 2000);
  assert.equal(delivered[0]?.dropped, 3000);
  assert.equal(written, 2000);
});

test("a log that cannot be reached is tried again, and what it loses is counted", async () => {
  const delivered: Batch[] = [];
  const attempts: string[] = [];
  let failures = 1;
  const { all, end } = batches(async (_, batch) => {
    attempts.push(`${batch.id} ${batch.isRepeated}`);
    if (failures > 0) {
      failures -= 1;
      throw new Error("the object moves");
    }
    delivered.push(batch);
  });
  const send = async (event: string) => {
    all.add("a", () => event);
    const done = all.delivered();
    end();
    await done;
  };
  await send("1");
  const { id, ...repeated } = delivered.pop() ?? assert.fail();
  assert.deepEqual(repeated, { isRepeated: true, events: ["1"], dropped: 0 });
  assert.deepEqual(attempts, [`${id} false`, `${id} true`], "the log recognizes a batch that it has stored");
  failures = 2;
  await send("2");
  assert.equal(delivered.length, 0);
  await send("3");
  const { id: last, ...next } = delivered.pop() ?? assert.fail();
  assert.deepEqual(next, { isRepeated: false, events: ["3"], dropped: 1 });
  assert.notEqual(last, id);
});

test("a log stores 500 events a second for a minute, and a part of a flood", () => {
  const steady = new Admission();
  for (let second = 0; second < 60; second += 1) assert.equal(steady.admit(500, second * 1000), 500);
  const flood = new Admission();
  let admitted = 0;
  for (let second = 0; second < 60; second += 1) admitted += flood.admit(100_000, second * 1000);
  assert.equal(admitted, 10_000 + 59 * 2000);
});

/** The messages in the next bytes of a stream. */
async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Message[]> {
  const { value } = await reader.read();
  return new TextDecoder().decode(value).trimEnd().split("\n").map((line) => JSON.parse(line) as Message);
}

function positioned(position: number, request_id = "r", path = "/") {
  const event = { time: "2026-11-28T12:00:00Z", outcome: "ok", path, request_id, lines: [], exceptions: [] };
  return { position, event: event as unknown as LogEvent };
}

test("a client gets the stored events, and then new ones that match", async () => {
  const subscribers = new Subscribers();
  const stream = subscribers.subscribe([{ at: 1 }, positioned(2)].values(), { request: "r" });
  const reader = stream.getReader();
  assert.deepEqual(await read(reader), [{ at: 1 }, positioned(2)]);
  const next = read(reader);
  subscribers.publish([positioned(3, "other"), positioned(4)], 0);
  assert.deepEqual(await next, [positioned(4)]);
  await reader.cancel();
  assert.equal(subscribers.size, 0);
});

test("a client that does not read loses events, which are counted", async () => {
  const subscribers = new Subscribers();
  const reader = subscribers.subscribe([][Symbol.iterator](), {}).getReader();
  const long = "x".repeat(100_000);
  for (let position = 0; position < 30; position += 1) subscribers.publish([positioned(position, "r", long)], 0);
  subscribers.publish([], 5);
  const messages = await read(reader);
  const kept = messages.filter((message) => "event" in message).length;
  assert.deepEqual(messages.at(-1), { dropped: 30 - kept + 5 });
  assert.ok(kept >= 10 && kept < 12, String(kept));
  subscribers.publish([positioned(31)], 0);
  assert.deepEqual(await read(reader), [positioned(31)]);
});
