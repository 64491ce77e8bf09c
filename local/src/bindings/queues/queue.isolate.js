// The queue that a producer sees. The runtime cannot pass a real one to a loaded isolate, so this class does what the runtime's does
// (`src/workerd/api/queue.c++` in workerd): it checks the arguments and makes bytes of bodies. The host entrypoint `QueueProducer` stores
// them.
import {
  CONSTRUCTOR,
  checkConstructor,
  checkThis,
  copyBytes,
  integer,
  isObject,
  likeNative,
  readOptions,
  utf8,
  wrongType,
} from "../arguments.isolate.js";

/** Returns the queue for the stub of a host entrypoint. */
export default function queue(host) {
  return new WorkerQueue(CONSTRUCTOR, host);
}

class WorkerQueue {
  #host;

  constructor(caller, host) {
    checkConstructor(caller);
    this.#host = host;
  }

  async metrics() {
    checkThis(#host in Object(this));
    return shown(await this.#host.metrics(), ({ code, reason }) => `${reason} (${code})`);
  }

  async send(body, options) {
    checkThis(#host in Object(this));
    if (arguments.length < 1) throw wrongType("send", "WorkerQueue", 1, "any");
    const { contentType, delaySeconds } = readOptions("send", "WorkerQueue", 2, "SendOptions", options);
    const message = readMessage(body, contentType, delaySeconds);
    return { metadata: { metrics: shown(await this.#host.send([message], null), failureOf("send")) } };
  }

  async sendBatch(batch, options) {
    checkThis(#host in Object(this));
    if (!isObject(batch) || typeof batch[Symbol.iterator] !== "function") {
      throw wrongType("sendBatch", "WorkerQueue", 1, "sequence");
    }
    const { delaySeconds } = readOptions("sendBatch", "WorkerQueue", 2, "SendBatchOptions", options);
    const messages = [...batch].map((message) => {
      if (!isObject(message)) throw new TypeError("sendBatch() takes messages: objects with a body.");
      return readMessage(message.body, message.contentType, message.delaySeconds);
    });
    if (messages.length === 0) throw new TypeError("sendBatch() requires at least one message");
    const result = await this.#host.send(messages, delay(delaySeconds));
    return { metadata: { metrics: shown(result, failureOf("sendBatch")) } };
  }
}

likeNative(WorkerQueue);

/** A message as the host takes it. The host makes bytes of a value with the content type `v8`, because an isolate has no means for it. */
function readMessage(body, type, delaySeconds) {
  if (body === undefined) throw new TypeError("Message body cannot be undefined");
  const contentType = type === undefined || type === null ? defaultType() : checkedType(type);
  return { contentType, ...serialized(contentType, body), delaySeconds: delay(delaySeconds) };
}

function serialized(contentType, body) {
  switch (contentType) {
    case "text":
      if (typeof body !== "string") throw wrongBody("text", "string", body);
      return { body: utf8(body) };
    case "bytes":
      if (!ArrayBuffer.isView(body)) throw wrongBody("bytes", "ArrayBufferView", body);
      return { body: copyBytes(body) };
    case "json": {
      const text = JSON.stringify(body);
      if (text === undefined) throw new TypeError(`The message body of type ${typeof body} has no JSON.`);
      return { body: utf8(text) };
    }
    default:
      // The runtime's own checks, with its errors.
      return { value: structuredClone(body) };
  }
}

function checkedType(type) {
  const lower = `${type}`.toLowerCase();
  if (["text", "bytes", "json", "v8"].includes(lower)) return lower;
  throw new TypeError(`Unsupported queue message content type: ${type}`);
}

/** Compatibility dates before 2024-03-18 send `v8` by default. */
function defaultType() {
  return globalThis.Cloudflare?.compatibilityFlags.queues_json_messages ? "json" : "v8";
}

function wrongBody(contentType, expected, body) {
  return new TypeError(`Content Type "${contentType}" requires a value of type ${expected}, but received: ${typeof body}`);
}

function delay(seconds) {
  return seconds === undefined || seconds === null ? null : integer(seconds);
}

/** The text of an error of `send` and `sendBatch`, which depends on the compatibility date. */
function failureOf(method) {
  if (globalThis.Cloudflare?.compatibilityFlags.queue_expose_error_codes) return ({ code, reason }) => `${reason} (${code})`;
  return ({ status, reason }) => `Queue ${method} failed: ${status} (${reason})`;
}

/** The metrics of a result. Throws if it is a failure, whose text `textOf` makes. */
function shown({ metrics, failure }, textOf) {
  if (failure) throw new Error(textOf(failure));
  const { backlogCount, backlogBytes, oldestMessageTimestamp } = metrics;
  const oldest = oldestMessageTimestamp > 0 ? { oldestMessageTimestamp: new Date(oldestMessageTimestamp) } : {};
  return { backlogCount, backlogBytes, ...oldest };
}
