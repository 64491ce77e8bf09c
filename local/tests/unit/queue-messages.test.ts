import assert from "node:assert/strict";
import { test } from "node:test";
import { MESSAGES_SCHEMA, Messages, type NewMessage } from "../../src/bindings/queues/messages.ts";
import { openStore } from "./sqlite.ts";

function queueWith(...messages: readonly [text: string, delaySeconds?: number][]): Messages {
  const queue = new Messages(openStore(MESSAGES_SCHEMA));
  const sent = messages.map(([text, delaySeconds = null]): NewMessage => {
    const body = new TextEncoder().encode(text).buffer as ArrayBuffer;
    return { contentType: "text", body, delaySeconds };
  });
  queue.add(sent, 0, 1000);
  return queue;
}

const texts = (messages: readonly { readonly body: ArrayBuffer }[]) => messages.map(({ body }) => new TextDecoder().decode(body));

test("messages are taken in the order in which they become available, and each by one lease", () => {
  const queue = queueWith(["late", 2], ["first"], ["second"], ["third"]);
  assert.deepEqual(texts(queue.take(2, "a", null, 1000)), ["first", "second"]);
  assert.deepEqual(texts(queue.take(2, "b", null, 1000)), ["third"]);
  assert.deepEqual(texts(queue.take(2, "c", null, 3000)), ["late"]);
});

test("a batch is due when it is full, or when its first message has waited", () => {
  assert.equal(queueWith().batchDueAt(2, 5000), null);
  assert.equal(queueWith(["a"]).batchDueAt(2, 5000), 6000);
  assert.equal(queueWith(["a"], ["b"]).batchDueAt(2, 5000), 1000);
  assert.equal(queueWith(["a"], ["b", 2]).batchDueAt(2, 5000), 3000);
  assert.equal(queueWith(["a"], ["b", 9]).batchDueAt(2, 5000), 6000);
});

test("a lease decides about its own messages only", () => {
  const queue = queueWith(["a"], ["b"]);
  const [a, b] = queue.take(2, "first", null, 1000);
  assert.ok(a && b);
  assert.equal(queue.remove(a.id, "second"), false);
  assert.equal(queue.remove(a.id, "first"), true);
  queue.release(b.id, "first", 2000);
  assert.equal(queue.take(1, "second", null, 1999).length, 0);
  assert.deepEqual(queue.take(1, "second", null, 2000).map(({ attempts }) => attempts), [2]);
  queue.cancel("second");
  assert.deepEqual(queue.take(1, "third", null, 2000).map(({ attempts }) => attempts), [2]);
});

test("a start ends the leases of deliveries, and not those of pulls", () => {
  const queue = queueWith(["delivered"], ["pulled"]);
  queue.take(1, "delivery", null, 1000);
  queue.take(1, "pull", 9000, 1000);
  queue.releaseInterrupted();
  assert.deepEqual(texts(queue.take(2, "again", null, 1000)), ["delivered"]);
  assert.deepEqual(queue.endedLeases(8999), []);
  assert.equal(queue.leaseEndsAt(), 9000);
  assert.deepEqual(queue.endedLeases(9000), ["pull"]);
});

test("the number and the size of the messages follow every change", () => {
  const queue = queueWith(["four"], ["five!"]);
  assert.deepEqual(queue.metrics(), { backlogCount: 2, backlogBytes: 9, oldestMessageTimestamp: 1000 });
  const [message] = queue.take(1, "a", null, 1000);
  assert.ok(message);
  queue.addDead([message], 2000);
  assert.equal(queue.metrics().backlogCount, 2, "a message that is there already is not added again");
  assert.equal(queue.remove(message.id, "a"), false, "a lease from before cannot delete it");
  queue.remove(message.id);
  assert.deepEqual(queue.metrics(), { backlogCount: 1, backlogBytes: 5, oldestMessageTimestamp: 1000 });
  assert.equal(queue.expire(1001), 1);
  assert.deepEqual(queue.metrics(), { backlogCount: 0, backlogBytes: 0, oldestMessageTimestamp: 0 });
});
