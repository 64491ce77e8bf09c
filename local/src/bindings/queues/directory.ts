import { DurableObject } from "cloudflare:workers";
import type { Environment } from "../../environment.ts";
import type { Platform } from "../../platform.ts";
import { Refusal } from "../../refusal.ts";
import type { Binding } from "../binding.ts";
import { type ConsumerRequest, type ConsumerSettings, DEFAULT_QUEUE_SETTINGS, type QueueSettings } from "./settings.ts";

/** The most queues of the account. */
export const MAX_QUEUES = 1000;

/** What consumes a queue. */
export interface QueueConsumer extends ConsumerRequest {
  readonly id: string;
  /** RFC 3339, UTC. */
  readonly created: string;
}

/** A queue and its configuration. `QueueBroker` has its messages. */
export interface Queue {
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  readonly modified: string;
  readonly settings: QueueSettings;
  /** A queue has at most one consumer. */
  readonly consumer: QueueConsumer | null;
}

type Row = {
  id: string;
  name: string;
  created: string;
  modified: string;
  settings: string;
  consumer_id: string | null;
  type: string;
  script: string | null;
  dead_letter_queue: string | null;
  consumer_settings: string;
  consumer_created: string;
};

const SELECT = `SELECT queues.id, name, queues.created, modified, queues.settings, consumers.id AS consumer_id, type, script,
  dead_letter_queue, consumers.settings AS consumer_settings, consumers.created AS consumer_created
  FROM queues LEFT JOIN consumers ON consumers.queue_id = queues.id`;

/**
 * The queues of the account with their consumers, in one object. It is the only place with their configuration: a broker reads it before
 * it delivers, and a producer before it sends.
 */
export class QueueDirectory extends DurableObject<Environment> {
  readonly #sql: SqlStorage;

  constructor(state: DurableObjectState, environment: Environment) {
    super(state, environment);
    this.#sql = state.storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS queues (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created TEXT NOT NULL, modified TEXT NOT NULL, settings TEXT NOT NULL
      ) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS consumers (
        id TEXT PRIMARY KEY, queue_id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, script TEXT, dead_letter_queue TEXT,
        settings TEXT NOT NULL, created TEXT NOT NULL
      ) WITHOUT ROWID;`);
  }

  /** All queues by name. */
  list(): Queue[] {
    return this.#sql.exec<Row>(`${SELECT} ORDER BY name`).toArray().map(fromRow);
  }

  /** A queue; `null` if it does not exist. */
  find(by: { readonly id: string } | { readonly name: string }): Queue | null {
    const [column, value] = "id" in by ? ["queues.id", by.id] : ["name", by.name];
    const rows = this.#sql.exec<Row>(`${SELECT} WHERE ${column} = ?`, value).toArray();
    return rows[0] ? fromRow(rows[0]) : null;
  }

  /** Creates a queue. `"taken"` if the name is, `"full"` if there are {@link MAX_QUEUES}. */
  create(name: string, settings: QueueSettings = DEFAULT_QUEUE_SETTINGS): Queue | "taken" | "full" {
    if (this.find({ name }) !== null) return "taken";
    if (this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM queues").one().n >= MAX_QUEUES) return "full";
    const now = new Date().toISOString();
    const id = newId();
    this.#sql.exec("INSERT INTO queues VALUES (?, ?, ?, ?, ?)", id, name, now, now, JSON.stringify(settings));
    return { id, name, created: now, modified: now, settings, consumer: null };
  }

  /** Changes the name and the settings. `"taken"` if another queue has the name; `null` if the queue does not exist. */
  change(id: string, name: string, settings: QueueSettings): Queue | "taken" | null {
    const other = this.find({ name });
    if (other !== null && other.id !== id) return "taken";
    this.#touch(id, "name = ?, settings = ?", name, JSON.stringify(settings));
    return this.find({ id });
  }

  /** Deletes a queue with its consumer; `false` if it does not exist. */
  remove(id: string): boolean {
    this.#sql.exec("DELETE FROM consumers WHERE queue_id = ?", id);
    return this.#sql.exec("DELETE FROM queues WHERE id = ? RETURNING 1 AS deleted", id).toArray().length > 0;
  }

  /** Adds the consumer of a queue; `null` if the queue has one or does not exist. Creates the dead-letter queue, as Cloudflare does. */
  addConsumer(queueId: string, request: ConsumerRequest): QueueConsumer | null {
    const queue = this.find({ id: queueId });
    if (queue === null || queue.consumer !== null) return null;
    return this.#storeConsumer(queueId, { ...request, id: newId(), created: new Date().toISOString() });
  }

  /** Replaces a consumer; `null` if it does not exist. */
  changeConsumer(queueId: string, id: string, request: ConsumerRequest): QueueConsumer | null {
    const consumer = this.find({ id: queueId })?.consumer;
    return consumer?.id === id ? this.#storeConsumer(queueId, { ...request, id, created: consumer.created }) : null;
  }

  /** Removes a consumer; `false` if it does not exist. */
  removeConsumer(queueId: string, id: string): boolean {
    const removed = this.#sql.exec("DELETE FROM consumers WHERE queue_id = ? AND id = ? RETURNING 1 AS deleted", queueId, id);
    if (removed.toArray().length === 0) return false;
    this.#touch(queueId, "name = name");
    return true;
  }

  #storeConsumer(queueId: string, consumer: QueueConsumer): QueueConsumer {
    const { id, type, script, deadLetterQueue, settings, created } = consumer;
    if (deadLetterQueue !== null) this.create(deadLetterQueue);
    const insert = "INSERT OR REPLACE INTO consumers VALUES (?, ?, ?, ?, ?, ?, ?)";
    this.#sql.exec(insert, id, queueId, type, script, deadLetterQueue, JSON.stringify(settings), created);
    this.#touch(queueId, "name = name");
    return consumer;
  }

  #touch(id: string, change: string, ...values: string[]): void {
    this.#sql.exec(`UPDATE queues SET ${change}, modified = ? WHERE id = ?`, ...values, new Date().toISOString(), id);
  }
}

function fromRow(row: Row): Queue {
  const { id, name, created, modified, settings } = row;
  const consumer =
    row.consumer_id === null
      ? null
      : {
          id: row.consumer_id,
          type: row.type as ConsumerRequest["type"],
          script: row.script,
          deadLetterQueue: row.dead_letter_queue,
          settings: JSON.parse(row.consumer_settings) as ConsumerSettings,
          created: row.consumer_created,
        };
  return { id, name, created, modified, settings: JSON.parse(settings) as QueueSettings, consumer };
}

function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

/** The one object with all queues. */
export function queueDirectory(environment: Environment): DurableObjectStub<QueueDirectory> {
  return environment.QUEUE_DIRECTORY.getByName("queues") as DurableObjectStub<QueueDirectory>;
}

/** Refuses bindings to queues that do not exist. */
export async function checkQueues({ environment }: Platform, bindings: readonly Binding[]): Promise<void> {
  for (const binding of bindings) {
    if (binding.type !== "queue") continue;
    const { name, queue_name: queueName } = binding;
    if ((await queueDirectory(environment).find({ name: queueName })) !== null) continue;
    throw new Refusal(
      "QUEUE_UNKNOWN",
      `Queue "${queueName}" of the binding ${name} does not exist. To create it, run: wrangler queues create ${queueName}`,
    );
  }
}
