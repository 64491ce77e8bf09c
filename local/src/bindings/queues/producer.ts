import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "../../environment.ts";
import { letOthersRun } from "../../event-loop.ts";
import { code, type CodeName } from "../../refusal.ts";
import { queueBroker } from "./broker.ts";
import { type Queue, queueDirectory } from "./directory.ts";
import { CONTENT_TYPES, type ContentType, type NewMessage, type QueueMetrics } from "./messages.ts";
import type { QueueProducerProps } from "./kind.ts";
import { MAX_BATCH, MAX_DELAY_SECONDS } from "./settings.ts";

/** Cloudflare's limits for a message and for the messages of one call, in bytes. */
export const MAX_MESSAGE_BYTES = 128_000;
export const MAX_BATCH_BYTES = 256_000;

/** A message from an isolate: bytes, or a value with the content type `v8`. */
interface SentMessage {
  readonly contentType: ContentType;
  readonly body?: Uint8Array<ArrayBuffer>;
  readonly value?: unknown;
  readonly delaySeconds: number | null;
}

/** The result of a call: the size of the queue, or why it fails. `queue.isolate.js` makes the error that the script sees. */
type ProducerResult = { readonly metrics: QueueMetrics } | { readonly failure: ProducerFailure };

interface ProducerFailure {
  /** The reason phrase of the HTTP response that the runtime's queue gets. */
  readonly status: "Bad Request" | "Not Found" | "Payload Too Large" | "Storage Limit Exceeded";
  /** Cloudflare's code: https://developers.cloudflare.com/queues/reference/error-codes/ */
  readonly code: number;
  readonly reason: string;
}

/** The host entrypoint of a queue. The isolate cannot change its checks. */
export class QueueProducer extends WorkerEntrypoint<Environment, QueueProducerProps> {
  /** Stores messages. `delaySeconds` is the delay of those without one; `null` for the delay of the queue. */
  async send(sent: readonly SentMessage[], delaySeconds: number | null): Promise<ProducerResult> {
    const queue = await this.#queue();
    if (queue === null) return this.#notFound();
    const messages: NewMessage[] = [];
    for (const { contentType, body, value, delaySeconds: delay } of sent) {
      const bytes = contentType === "v8" ? await serialize(this.env, value) : body?.slice().buffer;
      if (bytes === undefined || !CONTENT_TYPES.includes(contentType)) {
        return failure("Bad Request", "MESSAGE_METADATA_INVALID", "a message has no body");
      }
      messages.push({ contentType, body: bytes, delaySeconds: delay ?? delaySeconds });
    }
    const invalid = invalidMessages(messages);
    if (invalid !== null) {
      return failure(invalid.code === "DELAY_INVALID" ? "Bad Request" : "Payload Too Large", invalid.code, invalid.reason);
    }
    const metrics = await queueBroker(this.env, queue.id).send(queue, messages);
    return metrics === null ? failure("Storage Limit Exceeded", "QUEUE_FULL", FULL) : { metrics };
  }

  /** The size of the queue. */
  async metrics(): Promise<ProducerResult> {
    const queue = await this.#queue();
    return queue === null ? this.#notFound() : { metrics: await queueBroker(this.env, queue.id).metrics() };
  }

  async #queue(): Promise<Queue | null> {
    await letOthersRun();
    return await queueDirectory(this.env).find({ name: this.ctx.props.queueName });
  }

  #notFound(): ProducerResult {
    return failure("Not Found", "PRODUCER_QUEUE_NOT_FOUND", `the queue ${this.ctx.props.queueName} does not exist`);
  }
}

/** Why a queue stores no more messages. */
export const FULL = "the queue has 100,000 messages or 256 MB: let its consumer process them, or purge it with `wrangler queues purge`";

/** Why messages cannot be sent: in miniflare's words, and with Cloudflare's code. */
interface InvalidMessages {
  readonly code: "MESSAGE_TOO_LARGE" | "BATCH_TOO_LARGE" | "BATCH_COUNT_INVALID" | "DELAY_INVALID";
  readonly reason: string;
}

/** Why messages cannot be sent in one call; `null` if they can. */
export function invalidMessages(messages: readonly NewMessage[]): InvalidMessages | null {
  if (messages.length > MAX_BATCH) {
    const reason = `batch message count of ${messages.length} exceeds limit of ${MAX_BATCH}`;
    return { code: "BATCH_COUNT_INVALID", reason };
  }
  let total = 0;
  for (const { body, delaySeconds } of messages) {
    total += body.byteLength;
    if (body.byteLength > MAX_MESSAGE_BYTES) {
      const reason = `message length of ${body.byteLength} bytes exceeds limit of ${MAX_MESSAGE_BYTES}`;
      return { code: "MESSAGE_TOO_LARGE", reason };
    }
    if (delaySeconds !== null && !(delaySeconds >= 0 && delaySeconds <= MAX_DELAY_SECONDS)) {
      const reason = `message delay ${delaySeconds} is invalid: it must be from 0 to ${MAX_DELAY_SECONDS} seconds`;
      return { code: "DELAY_INVALID", reason };
    }
  }
  if (total <= MAX_BATCH_BYTES) return null;
  return { code: "BATCH_TOO_LARGE", reason: `batch size of ${total} bytes exceeds limit of ${MAX_BATCH_BYTES}` };
}

function failure(status: ProducerFailure["status"], name: CodeName, reason: string): ProducerResult {
  return { failure: { status, code: code(name).code, reason } };
}

/** The bytes of the values that are being serialized, by the number that identifies the request. */
const serialized = new Map<number, ArrayBuffer>();
let serializations = 0;

/**
 * A value in the format of the runtime. Only a queue of the runtime makes it, so this sends the value to one, whose messages
 * {@link QueueSerializer} gets. Such a message has no other free field than its delay, which therefore identifies it.
 */
async function serialize(environment: Environment, value: unknown): Promise<ArrayBuffer> {
  serializations = (serializations + 1) % 2 ** 31;
  const number = serializations;
  await environment.QUEUE_SERIALIZER.send(value, { contentType: "v8", delaySeconds: number });
  const bytes = serialized.get(number);
  serialized.delete(number);
  if (bytes === undefined) throw new Error("the runtime did not serialize a message");
  return bytes;
}

/** Receives the messages of the queue `QUEUE_SERIALIZER`: see `storage-plugin.mjs`. */
export class QueueSerializer extends WorkerEntrypoint<Environment> {
  override async fetch(request: Request): Promise<Response> {
    serialized.set(Number(request.headers.get("x-msg-delay-secs")), await request.arrayBuffer());
    return Response.json({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } });
  }
}
