import { queueBroker } from "../bindings/queues/broker.ts";
import { type Queue, queueDirectory } from "../bindings/queues/directory.ts";
import type { MessageState, NewMessage, QueueMetrics, StoredMessage } from "../bindings/queues/messages.ts";
import { FULL, invalidMessages } from "../bindings/queues/producer.ts";
import { MAX_BATCH, MAX_DELAY_SECONDS, MAX_VISIBILITY_TIMEOUT_MS, wholeNumber } from "../bindings/queues/settings.ts";
import { utf8 } from "../encoding.ts";
import { Refusal } from "../refusal.ts";
import { type Call, jsonObjectBody } from "./call.ts";
import { success } from "./envelope.ts";
import { queueOf } from "./queues.ts";

/** The number of messages of a pull without `batch_size`. */
const DEFAULT_PULL = 5;

type Fields = Readonly<Record<string, unknown>>;

/** Sends a message: `{body, content_type, delay_seconds}`. */
export async function sendMessage(call: Call): Promise<Response> {
  return await send(call, [await jsonObjectBody(call)], null);
}

/** Sends messages: `{messages: [{body, content_type, delay_seconds}], delay_seconds}`. */
export async function sendMessages(call: Call): Promise<Response> {
  const body = await jsonObjectBody(call);
  return await send(call, list(body, "messages"), delayOf(body));
}

/** Leases messages to a pull consumer: `{batch_size, visibility_timeout_ms}`. */
export async function pullMessages(call: Call): Promise<Response> {
  const queue = await pulledQueue(call);
  const body = await jsonObjectBody(call);
  const timeout = { visibility_timeout_ms: body["visibility_timeout_ms"] ?? body["visibility_timeout"] };
  const settings = queue.consumer?.settings;
  const count = wholeNumber("MESSAGES_INVALID", body, "batch_size", 1, MAX_BATCH, settings?.batch_size ?? DEFAULT_PULL);
  const visibilityMs = wholeNumber(
    "MESSAGES_INVALID",
    timeout,
    "visibility_timeout_ms",
    1,
    MAX_VISIBILITY_TIMEOUT_MS,
    settings?.visibility_timeout_ms ?? 30_000,
  );
  const { lease, messages, metrics } = await queueBroker(call.env, queue.id).pull(queue, count, visibilityMs);
  return success({
    message_backlog_count: metrics.backlogCount,
    messages: messages.map((message) => ({ ...shownMessage(message), lease_id: `${message.id}.${lease}` })),
    metadata: { metrics: shownMetrics(metrics) },
  });
}

/** Acknowledges messages, or lets them be delivered again: `{acks: [{lease_id}], retries: [{lease_id, delay_seconds}]}`. */
export async function acknowledgeMessages(call: Call): Promise<Response> {
  const queue = await pulledQueue(call);
  const body = await jsonObjectBody(call);
  const broker = queueBroker(call.env, queue.id);
  const warnings: Record<string, string> = {};
  const acks = list(body, "acks").map(leaseOf);
  const missing = new Set(await broker.acknowledge(acks.map(({ id }) => id)));
  for (const { id, text } of acks) if (missing.has(id)) warnings[text] = "The queue does not have this message any more.";
  let retryCount = 0;
  for (const fields of list(body, "retries")) {
    const { id, lease, text } = leaseOf(fields);
    if (await broker.retry(queue, lease, id, delayOf(fields))) retryCount += 1;
    else warnings[text] = "The lease has ended.";
  }
  return success({ ackCount: acks.length - missing.size, retryCount, warnings });
}

/** The first messages without a lease for the caller: `{batch_size}`. Each has a `ref` for {@link purgeMessages}. */
export async function peekMessages(call: Call): Promise<Response> {
  const queue = await queueOf(call);
  const count = wholeNumber("MESSAGES_INVALID", await jsonObjectBody(call), "batch_size", 1, MAX_BATCH, DEFAULT_PULL);
  const messages = await queueBroker(call.env, queue.id).first(count);
  return success({ messages: messages.map((message) => ({ ...shownMessage(message), ref: message.id })) });
}

/** Deletes single messages: `{refs: [{ref}]}`. */
export async function purgeMessages(call: Call): Promise<Response> {
  const queue = await queueOf(call);
  const warnings: Record<string, string> = {};
  for (const { ref } of list(await jsonObjectBody(call), "refs")) {
    const removed = await queueBroker(call.env, queue.id).removeMessage(String(ref));
    if (!removed) warnings[String(ref)] = "The queue does not have this message any more.";
  }
  return success({ errors: [], warnings });
}

/** Deletes all messages of a queue. */
export async function purgeQueue(call: Call): Promise<Response> {
  const queue = await queueOf(call);
  const { delete_messages_permanently: permanently } = await jsonObjectBody(call);
  if (permanently !== true) {
    throw new Refusal("BODY_INVALID", "Purging a queue deletes all its messages: confirm it with `delete_messages_permanently: true`.");
  }
  await queueBroker(call.env, queue.id).purge();
  return success(null);
}

/** The state of the last purge. A purge ends before its response. */
export async function getPurge(call: Call): Promise<Response> {
  await queueOf(call);
  return success({ completed: "true", started_at: new Date().toISOString() });
}

/** The size of a queue. */
export async function getMetrics(call: Call): Promise<Response> {
  return success(shownMetrics(await queueBroker(call.env, (await queueOf(call)).id).metrics()));
}

/** The size of each queue; with `?name=` of one, and its first hundred messages. Cloudflare's API has no such call. */
export async function showQueues(call: Call): Promise<Response> {
  const wanted = call.req.query("name");
  const queues = (await queueDirectory(call.env).list()).filter(({ name }) => wanted === undefined || name === wanted);
  const shown = queues.map(async ({ id, name, consumer }) => {
    const broker = queueBroker(call.env, id);
    const size = { id, name, consumer, ...(await broker.metrics()) };
    return wanted === undefined ? size : { ...size, messages: (await broker.first(MAX_BATCH)).map(shownState) };
  });
  return success(await Promise.all(shown));
}

async function send(call: Call, sent: readonly Fields[], delaySeconds: number | null): Promise<Response> {
  const queue = await queueOf(call);
  if (sent.length === 0) throw new Refusal("BATCH_COUNT_INVALID", "`messages` has no message.");
  const messages = sent.map((fields): NewMessage => {
    const { body, content_type: contentType = "json" } = fields;
    const delay = delayOf(fields) ?? delaySeconds;
    if (body === undefined) throw new Refusal("MESSAGES_INVALID", "A message needs a `body`.");
    if (contentType === "json") return { contentType, body: utf8(JSON.stringify(body)), delaySeconds: delay };
    if (contentType === "text" && typeof body === "string") return { contentType, body: utf8(body), delaySeconds: delay };
    throw new Refusal("MESSAGE_METADATA_INVALID", '`content_type` must be "json", or "text" with a string as the `body`.');
  });
  const invalid = invalidMessages(messages);
  if (invalid !== null) throw new Refusal(invalid.code, `${invalid.reason}.`);
  const metrics = await queueBroker(call.env, queue.id).send(queue, messages);
  if (metrics === null) throw new Refusal("QUEUE_FULL", `Storage Limit Exceeded: ${FULL}.`);
  return success({ metadata: { metrics: shownMetrics(metrics) } });
}

/** The queue of the path. Refuses one without a pull consumer. */
async function pulledQueue(call: Call): Promise<Queue> {
  const queue = await queueOf(call);
  if (queue.consumer?.type === "http_pull") return queue;
  throw new Refusal(
    "MESSAGES_INVALID",
    `The queue ${queue.name} has no pull consumer. Add one with \`wrangler queues consumer http add ${queue.name}\`.`,
  );
}

/** Cloudflare returns bodies other than text in base64, except `v8`, which only the runtime can read. */
function shownMessage({ id, contentType, body, sentAt, attempts }: StoredMessage) {
  const text = contentType === "text" ? new TextDecoder().decode(body) : base64(body);
  return { id, body: text, timestamp_ms: sentAt, attempts, metadata: { "CF-Content-Type": contentType } };
}

function shownState({ id, contentType, body, sentAt, attempts, availableAt, lease }: MessageState) {
  const isText = contentType === "text" || contentType === "json";
  const state = lease === null ? (availableAt > Date.now() ? "delayed" : "waiting") : "in delivery";
  return { id, state, attempts, sent_at: sentAt, content_type: contentType, body: isText ? new TextDecoder().decode(body) : base64(body) };
}

function shownMetrics({ backlogCount, backlogBytes, oldestMessageTimestamp }: QueueMetrics) {
  return { backlog_count: backlogCount, backlog_bytes: backlogBytes, oldest_message_timestamp_ms: oldestMessageTimestamp };
}

function base64(bytes: ArrayBuffer): string {
  return btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
}

function leaseOf({ lease_id: text }: Fields): { text: string; id: string; lease: string } {
  const [id, lease] = typeof text === "string" ? text.split(".") : [];
  if (id !== undefined && lease !== undefined) return { text: String(text), id, lease };
  throw new Refusal("MESSAGES_INVALID", `\`lease_id\` is ${JSON.stringify(text)?.slice(0, 150)}. Use one that a pull returned.`);
}

function delayOf(fields: Fields): number | null {
  if ((fields["delay_seconds"] ?? null) === null) return null;
  return wholeNumber("DELAY_INVALID", fields, "delay_seconds", 0, MAX_DELAY_SECONDS, 0);
}

function list(body: Fields, name: string): Fields[] {
  const value = body[name] ?? [];
  if (Array.isArray(value) && value.every((element) => typeof element === "object" && element !== null)) return value as Fields[];
  throw new Refusal("MESSAGES_INVALID", `\`${name}\` must be a list of objects.`);
}
