import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "../environment.ts";
import { letOthersRun } from "../event-loop.ts";
import type { ScriptAddress } from "../script.ts";

/** The types of bindings that only receive data. Nothing on this machine processes it, so it can be read. */
export const RECEIVING_TYPES = ["analytics_engine", "pipelines", "send_email"] as const;
export type ReceivingType = (typeof RECEIVING_TYPES)[number];

/** The most records of a type; the oldest are deleted. */
const MAX_RECORDS = 1000;
/** The most characters of a record's data. */
const MAX_CHARACTERS = 1024 * 1024;

/** The binding that received something. */
export interface ReceivingBinding extends ScriptAddress {
  readonly type: ReceivingType;
  /** The name of the binding in the script. */
  readonly binding: string;
  /** The name of the data set, of the pipeline or of the stream; empty for e-mail. */
  readonly target: string;
}

/** What a binding received. */
export interface ReceivedRecord extends ReceivingBinding {
  /** RFC 3339, UTC. */
  readonly at: string;
  /** The data as JSON; the start of it with `truncated` if it is too long. */
  readonly data: unknown;
  readonly truncated?: true;
}

type Row = { at: string; type: ReceivingType; namespace: string; script: string; binding: string; target: string; data: string };

/** Stores what the bindings of all Workers received: the last {@link MAX_RECORDS} of each type. One object has all of it. */
export class Received extends DurableObject<Environment> {
  readonly #sql: SqlStorage;

  constructor(state: DurableObjectState, environment: Environment) {
    super(state, environment);
    this.#sql = state.storage.sql;
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS records (
      id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, type TEXT NOT NULL, namespace TEXT NOT NULL, script TEXT NOT NULL,
      binding TEXT NOT NULL, target TEXT NOT NULL, data TEXT NOT NULL);
      CREATE INDEX IF NOT EXISTS records_of_type ON records (type, id);`);
  }

  /** Stores records, oldest first. Each element of `data` is JSON. */
  add({ type, namespace, script, binding, target }: ReceivingBinding, data: readonly string[]): void {
    const at = new Date().toISOString();
    for (const text of data.slice(-MAX_RECORDS)) {
      const insert = "INSERT INTO records (at, type, namespace, script, binding, target, data) VALUES (?, ?, ?, ?, ?, ?, ?)";
      this.#sql.exec(insert, at, type, namespace, script, binding, target, text.slice(0, MAX_CHARACTERS));
    }
    const oldest = "SELECT id FROM records WHERE type = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2";
    this.#sql.exec(`DELETE FROM records WHERE type = ?1 AND id <= (${oldest})`, type, MAX_RECORDS);
  }

  /** The records of a type as JSON, the newest first. */
  newest(type: ReceivingType): string {
    const select = "SELECT at, type, namespace, script, binding, target, data FROM records WHERE type = ? ORDER BY id DESC";
    return JSON.stringify(this.#sql.exec<Row>(select, type).toArray().map(recordOf));
  }

  /** Deletes the records of a type. */
  clear(type: ReceivingType): void {
    this.#sql.exec("DELETE FROM records WHERE type = ?", type);
  }
}

function recordOf({ data, ...row }: Row): ReceivedRecord {
  return data.length < MAX_CHARACTERS ? { ...row, data: JSON.parse(data) } : { ...row, data, truncated: true };
}

/** The one object with all records. */
export function received(environment: Environment): DurableObjectStub<Received> {
  return environment.RECEIVED.getByName("received") as DurableObjectStub<Received>;
}

/** The host entrypoint of a binding that only receives data. */
export class Receiver extends WorkerEntrypoint<Environment, ReceivingBinding> {
  /** Stores records. A pipeline's `send` is this method; the other bindings call it from the isolate. */
  async send(records: readonly unknown[]): Promise<void> {
    await letOthersRun();
    if (!Array.isArray(records)) throw new TypeError("send() takes a list of records.");
    await received(this.env).add(this.ctx.props, records.map((record) => JSON.stringify(record ?? null)));
  }
}
