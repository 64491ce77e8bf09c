import { type CodeName, Refusal } from "../../refusal.ts";

/** The most seconds of a delay: of a message, of a queue and of a retry. */
export const MAX_DELAY_SECONDS = 86_400;
/** The most messages of a batch. */
export const MAX_BATCH = 100;
/** The longest time for which a pull consumer can lease messages, in milliseconds. */
export const MAX_VISIBILITY_TIMEOUT_MS = 12 * 60 * 60 * 1000;

/** The settings of a queue. Field names are those of the REST API. */
export interface QueueSettings {
  /** Seconds before a message can be delivered, unless the message has a delay itself. */
  readonly delivery_delay: number;
  readonly delivery_paused: boolean;
  /** Seconds after which a message is deleted that no consumer has acknowledged. */
  readonly message_retention_period: number;
}

/** The settings of a consumer. Field names are those of the REST API. */
export interface ConsumerSettings {
  /** The most messages of a batch. */
  readonly batch_size: number;
  /** How often a message is delivered again after a failure. */
  readonly max_retries: number;
  /** Seconds before a message is delivered again, unless the consumer names a delay. */
  readonly retry_delay: number;
  /** For a Worker: how long a message waits for others of its batch, in milliseconds. */
  readonly max_wait_time_ms: number;
  /** For a Worker: the most batches at the same time; `null` for the platform's number. */
  readonly max_concurrency: number | null;
  /** For a pull consumer: how long it has a message before the message returns to the queue, in milliseconds. */
  readonly visibility_timeout_ms: number;
}

/** What consumes a queue: an account Worker, or a client that pulls messages with the REST API. */
export interface ConsumerRequest {
  readonly type: "worker" | "http_pull";
  /** The name of the account Worker; `null` for a pull consumer. */
  readonly script: string | null;
  /** The name of the queue that gets messages whose retries all failed; `null` if they are deleted. */
  readonly deadLetterQueue: string | null;
  readonly settings: ConsumerSettings;
}

type Fields = Readonly<Record<string, unknown>>;

/** The settings of a new queue: Cloudflare's defaults. */
export const DEFAULT_QUEUE_SETTINGS: QueueSettings = {
  delivery_delay: 0,
  delivery_paused: false,
  message_retention_period: 4 * 86_400,
};

const DEFAULT_CONSUMER_SETTINGS: ConsumerSettings = {
  batch_size: 10,
  max_retries: 3,
  retry_delay: 0,
  max_wait_time_ms: 5000,
  max_concurrency: null,
  visibility_timeout_ms: 30_000,
};

/** Settings of a queue after a change: what the change does not have stays. Refuses values outside of Cloudflare's limits. */
export function changedQueueSettings(current: QueueSettings, change: unknown): QueueSettings {
  const fields = object("QUEUE_SETTINGS_INVALID", "settings", change);
  const number = (name: string, least: number, most: number, otherwise: number): number =>
    wholeNumber("QUEUE_SETTINGS_INVALID", fields, name, least, most, otherwise);
  const paused = fields["delivery_paused"] ?? current.delivery_paused;
  if (typeof paused !== "boolean") throw new Refusal("QUEUE_SETTINGS_INVALID", "`delivery_paused` must be true or false.");
  return {
    delivery_delay: number("delivery_delay", 0, MAX_DELAY_SECONDS, current.delivery_delay),
    delivery_paused: paused,
    message_retention_period: number("message_retention_period", 60, 14 * 86_400, current.message_retention_period),
  };
}

/** Reads a consumer of the queue `queueName`. Refuses what is malformed, and values outside of Cloudflare's limits. */
export function readConsumer(queueName: string, fields: Fields): ConsumerRequest {
  const code = "CONSUMER_SETTINGS_INVALID";
  const { type } = fields;
  if (type !== "worker" && type !== "http_pull") {
    throw new Refusal(code, `\`type\` of a consumer must be "worker" or "http_pull", not ${JSON.stringify(type)}.`);
  }
  const script = fields["script_name"] ?? fields["script"];
  if (type === "worker" && (typeof script !== "string" || script === "")) {
    throw new Refusal(code, "A consumer of the type worker needs `script_name`: the name of an account Worker.");
  }
  const deadLetterQueue = fields["dead_letter_queue"] ?? "";
  if (typeof deadLetterQueue !== "string") throw new Refusal(code, "`dead_letter_queue` must be the name of a queue.");
  if (deadLetterQueue === queueName) {
    throw new Refusal(code, `The queue ${queueName} cannot be its own dead-letter queue. Name another queue.`);
  }
  const settings = object(code, "settings", fields["settings"]);
  const number = (name: Exclude<keyof ConsumerSettings, "max_concurrency">, least: number, most: number): number =>
    wholeNumber(code, settings, name, least, most, DEFAULT_CONSUMER_SETTINGS[name]);
  return {
    type,
    script: type === "worker" ? String(script) : null,
    deadLetterQueue: deadLetterQueue === "" ? null : deadLetterQueue,
    settings: {
      batch_size: number("batch_size", 1, MAX_BATCH),
      max_retries: number("max_retries", 0, 100),
      retry_delay: number("retry_delay", 0, MAX_DELAY_SECONDS),
      max_wait_time_ms: number("max_wait_time_ms", 0, 60_000),
      max_concurrency: (settings["max_concurrency"] ?? null) === null ? null : wholeNumber(code, settings, "max_concurrency", 1, 250, 1),
      visibility_timeout_ms: number("visibility_timeout_ms", 1, MAX_VISIBILITY_TIMEOUT_MS),
    },
  };
}

/** A whole number of an object; `otherwise` if it is absent. */
export function wholeNumber(code: CodeName, fields: Fields, name: string, least: number, most: number, otherwise: number): number {
  const value = fields[name] ?? otherwise;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Refusal(code, `\`${name}\` is ${JSON.stringify(value)}. Use a whole number from ${least} to ${most}.`);
}

function object(code: CodeName, name: string, value: unknown): Fields {
  if (value === undefined || value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Fields;
  throw new Refusal(code, `\`${name}\` must be an object.`);
}
