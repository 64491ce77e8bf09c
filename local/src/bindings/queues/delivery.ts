import { NotPermitted } from "../../invocations.ts";
import { callHandlers, type QueuedMessage, type QueueResult } from "../../live-worker.ts";
import type { Platform } from "../../platform.ts";
import { Refusal } from "../../refusal.ts";
import type { ScriptAddress } from "../../script.ts";
import type { QueueMetrics, StoredMessage } from "./messages.ts";

/** How long a Worker can process a batch, in milliseconds: Cloudflare's limit. */
const MAX_DURATION_MS = 15 * 60 * 1000;

/** What a Worker did with a batch. */
export interface BatchOutcome {
  /** The ids of the messages that it acknowledged or that it processed without an error. */
  readonly acknowledged: readonly string[];
  /** The ids of those to deliver again, with the delay in seconds; `null` for the delay of the consumer. */
  readonly failed: ReadonlyMap<string, number | null>;
}

/**
 * Delivers a batch to the live version of a Worker. `null` if there is no such Worker, or if it does not run until its next deploy. Every
 * failure of the Worker is an outcome.
 */
export async function deliverBatch(
  platform: Platform,
  address: ScriptAddress,
  queueName: string,
  messages: readonly StoredMessage[],
  metrics: QueueMetrics,
): Promise<BatchOutcome | null> {
  const { backlogCount, backlogBytes, oldestMessageTimestamp } = metrics;
  const oldest = oldestMessageTimestamp === 0 ? {} : { oldestMessageTimestamp: new Date(oldestMessageTimestamp) };
  const metadata = { metrics: { backlogCount, backlogBytes, ...oldest } };
  const timer = new AbortController();
  try {
    const result = await Promise.race([
      callHandlers(platform, "queue", address, (worker) => worker.queue(queueName, messages.map(delivered), metadata)),
      scheduler.wait(MAX_DURATION_MS, { signal: timer.signal }).then(() => {
        throw new Error("the Worker did not end within 15 minutes");
      }),
    ]);
    return outcomeOf(messages, result);
  } catch (cause) {
    if (cause instanceof Refusal || cause instanceof NotPermitted) return null;
    const message = cause instanceof Error ? cause.message : String(cause);
    console.error(`The queue ${queueName} could not deliver a batch to ${address.script}: ${message}`);
    return { acknowledged: [], failed: new Map(messages.map(({ id }) => [id, null])) };
  } finally {
    timer.abort();
  }
}

/** A message as the handler takes it. */
function delivered({ id, contentType, body, sentAt, attempts }: StoredMessage): QueuedMessage {
  const message = { id, timestamp: new Date(sentAt), attempts };
  switch (contentType) {
    case "text":
      return { ...message, body: new TextDecoder().decode(body) };
    case "json":
      return { ...message, body: JSON.parse(new TextDecoder().decode(body)) };
    case "bytes":
      return { ...message, body };
    case "v8":
      return { ...message, serializedBody: body };
  }
}

/**
 * What happens with each message. As Cloudflare's documentation says, a message that was acknowledged or retried by itself keeps that
 * also if the handler throws.
 */
function outcomeOf(messages: readonly StoredMessage[], result: QueueResult): BatchOutcome {
  const acks = new Set(result.explicitAcks);
  const retries = new Map(result.retryMessages.map(({ msgId, delaySeconds }) => [msgId, delaySeconds ?? null]));
  const fails = !result.ackAll && (result.retryBatch.retry || result.outcome !== "ok");
  const batchDelay = result.retryBatch.delaySeconds ?? null;
  const acknowledged: string[] = [];
  const failed = new Map<string, number | null>();
  for (const { id } of messages) {
    if (acks.has(id)) acknowledged.push(id);
    else if (retries.has(id)) failed.set(id, retries.get(id) ?? batchDelay);
    else if (fails) failed.set(id, batchDelay);
    else acknowledged.push(id);
  }
  return { acknowledged, failed };
}
