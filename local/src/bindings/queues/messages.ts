/** How a body is stored: text and JSON as UTF-8, `v8` in the format of the runtime. */
export const CONTENT_TYPES = ["text", "bytes", "json", "v8"] as const;
export type ContentType = (typeof CONTENT_TYPES)[number];

/** A message that a producer sends. */
export interface NewMessage {
  readonly contentType: ContentType;
  readonly body: ArrayBuffer;
  /** Seconds before it can be delivered; `null` for the delay of the queue. */
  readonly delaySeconds: number | null;
}

/** A message of a queue. Times are milliseconds since 1970. */
export interface StoredMessage {
  /** 32 hexadecimal digits. It stays in a dead-letter queue. */
  readonly id: string;
  readonly contentType: ContentType;
  readonly body: ArrayBuffer;
  /** When a producer sent it. It stays in a dead-letter queue. */
  readonly sentAt: number;
  /** How often it was delivered, the current delivery included. */
  readonly attempts: number;
}

/** A message as the table has it. */
export interface MessageState extends StoredMessage {
  readonly availableAt: number;
  /** The lease of a delivery or of a pull; `null` if the message waits. */
  readonly lease: string | null;
}

/** The number of messages of a queue, their size in bytes, and when the oldest was sent; 0 if there is none. */
export interface QueueMetrics {
  readonly backlogCount: number;
  readonly backlogBytes: number;
  readonly oldestMessageTimestamp: number;
}

/** The tables. A trigger counts the messages, because a count of all rows takes milliseconds in a long queue. */
export const MESSAGES_SCHEMA = `
  CREATE TABLE IF NOT EXISTS messages (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    content_type TEXT NOT NULL,
    body         BLOB NOT NULL,
    sent_at      INTEGER NOT NULL,
    stored_at    INTEGER NOT NULL,
    available_at INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    lease        TEXT,
    lease_until  INTEGER
  );
  CREATE INDEX IF NOT EXISTS waiting_messages ON messages (available_at, number) WHERE lease IS NULL;
  CREATE INDEX IF NOT EXISTS leased_messages ON messages (lease) WHERE lease IS NOT NULL;
  CREATE INDEX IF NOT EXISTS stored_messages ON messages (stored_at, lease);
  CREATE TABLE IF NOT EXISTS totals (id INTEGER PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL);
  INSERT OR IGNORE INTO totals VALUES (1, 0, 0);
  CREATE TRIGGER IF NOT EXISTS message_added AFTER INSERT ON messages BEGIN
    UPDATE totals SET messages = messages + 1, bytes = bytes + length(NEW.body);
  END;
  CREATE TRIGGER IF NOT EXISTS message_removed AFTER DELETE ON messages BEGIN
    UPDATE totals SET messages = messages - 1, bytes = bytes - length(OLD.body);
  END;
`;

type Row = {
  id: string;
  content_type: string;
  body: ArrayBuffer;
  sent_at: number;
  available_at: number;
  attempts: number;
  lease: string | null;
};

const COLUMNS = "id, content_type, body, sent_at, available_at, attempts, lease";

/**
 * The table of the messages of one queue. A message without a lease waits, and can be delivered from `available_at` on. A delivery or a
 * pull takes messages: they get its lease, and their attempts are counted. A lease of a pull has an end. A lease of a delivery to a Worker
 * has none: it ends with the delivery, or with the process.
 */
export class Messages {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  metrics(): QueueMetrics {
    const { messages, bytes } = this.#sql.exec<{ messages: number; bytes: number }>("SELECT messages, bytes FROM totals").one();
    const oldest = this.#sql.exec<{ at: number }>("SELECT sent_at AS at FROM messages ORDER BY stored_at LIMIT 1").toArray();
    return { backlogCount: messages, backlogBytes: bytes, oldestMessageTimestamp: oldest[0]?.at ?? 0 };
  }

  /** Adds new messages. `delaySeconds` is the delay of those without one. */
  add(messages: readonly NewMessage[], delaySeconds: number, now: number): void {
    for (const { contentType, body, delaySeconds: delay } of messages) {
      const id = crypto.randomUUID().replaceAll("-", "");
      this.#insert({ id, contentType, body, sentAt: now, attempts: 0 }, now, now + (delay ?? delaySeconds) * 1000);
    }
  }

  /**
   * Adds messages of another queue, with their ids. One that is here already is the same message: it waits again, and the
   * holder of its lease cannot delete it any more.
   */
  addDead(messages: readonly StoredMessage[], now: number): void {
    for (const message of messages) this.#insert({ ...message, attempts: 0 }, now, now);
  }

  /** Takes up to `count` messages that can be delivered, the earliest first. `until` is the end of the lease. */
  take(count: number, lease: string, until: number | null, now: number): StoredMessage[] {
    const numbers = this.#sql
      .exec<{ number: number }>(
        "SELECT number FROM messages WHERE lease IS NULL AND available_at <= ? ORDER BY available_at, number LIMIT ?",
        now,
        count,
      )
      .toArray();
    return numbers.flatMap(({ number }) =>
      this.#sql
        .exec<Row>(
          `UPDATE messages SET lease = ?, lease_until = ?, attempts = attempts + 1 WHERE number = ? RETURNING ${COLUMNS}`,
          lease,
          until,
          number,
        )
        .toArray()
        .map(fromRow),
    );
  }

  /** When the next batch is due: when it is full, or when the first message of it has waited. `null` if no message waits. */
  batchDueAt(size: number, waitMs: number): number | null {
    const select = "SELECT available_at AS at FROM messages WHERE lease IS NULL ORDER BY available_at, number LIMIT ?";
    const times = this.#sql.exec<{ at: number }>(select, size).toArray();
    const [first, last] = [times[0], times[size - 1]];
    if (first === undefined) return null;
    return last === undefined ? first.at + waitMs : Math.min(first.at + waitMs, last.at);
  }

  /** The messages that a lease has. */
  leased(lease: string): StoredMessage[] {
    return this.#sql.exec<Row>(`SELECT ${COLUMNS} FROM messages WHERE lease = ?`, lease).toArray().map(fromRow);
  }

  /** Deletes a message that the lease has, or any message of that id. `false` if there is none. */
  remove(id: string, lease: string | null = null): boolean {
    const deleted = this.#sql.exec("DELETE FROM messages WHERE id = ?1 AND (?2 IS NULL OR lease = ?2) RETURNING 1 AS n", id, lease);
    return deleted.toArray().length > 0;
  }

  /** Lets a message that the lease has be delivered again from `availableAt` on. */
  release(id: string, lease: string, availableAt: number): void {
    const update = "UPDATE messages SET lease = NULL, lease_until = NULL, available_at = ? WHERE id = ? AND lease = ?";
    this.#sql.exec(update, availableAt, id, lease);
  }

  /** Ends a lease whose messages were not delivered: the attempt does not count. */
  cancel(lease: string): void {
    this.#sql.exec("UPDATE messages SET lease = NULL, lease_until = NULL, attempts = attempts - 1 WHERE lease = ?", lease);
  }

  /** Ends the leases of deliveries: none runs when the process starts. */
  releaseInterrupted(): void {
    this.#sql.exec("UPDATE messages SET lease = NULL WHERE lease IS NOT NULL AND lease_until IS NULL");
  }

  /** The leases of pulls that have ended. */
  endedLeases(now: number): string[] {
    const select = "SELECT DISTINCT lease FROM messages WHERE lease IS NOT NULL AND lease_until <= ?";
    return this.#sql.exec<{ lease: string }>(select, now).toArray().map(({ lease }) => lease);
  }

  /** When the next lease of a pull ends; `null` if there is none. */
  leaseEndsAt(): number | null {
    return this.#sql.exec<{ at: number | null }>("SELECT min(lease_until) AS at FROM messages WHERE lease IS NOT NULL").one().at;
  }

  /** When the oldest message without a lease was stored; `null` if there is none. */
  oldestWaitingAt(): number | null {
    const select = "SELECT stored_at AS at FROM messages WHERE lease IS NULL ORDER BY stored_at LIMIT 1";
    return this.#sql.exec<{ at: number }>(select).toArray()[0]?.at ?? null;
  }

  /** Deletes the messages without a lease that were stored before a time. Returns how many. */
  expire(before: number): number {
    return this.#sql.exec("DELETE FROM messages WHERE stored_at < ? AND lease IS NULL RETURNING 1 AS n", before).toArray().length;
  }

  /** Deletes all messages. */
  clear(): void {
    this.#sql.exec("DELETE FROM messages");
  }

  /** The first messages in the order of their arrival, with or without a lease. */
  first(count: number): MessageState[] {
    return this.#sql
      .exec<Row>(`SELECT ${COLUMNS} FROM messages ORDER BY number LIMIT ?`, count)
      .toArray()
      .map((row) => ({ ...fromRow(row), availableAt: row.available_at, lease: row.lease }));
  }

  #insert({ id, contentType, body, sentAt, attempts }: StoredMessage, storedAt: number, availableAt: number): void {
    this.#sql.exec(
      `INSERT INTO messages (id, content_type, body, sent_at, stored_at, available_at, attempts) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET lease = NULL, lease_until = NULL, available_at = excluded.available_at, attempts = 0`,
      id,
      contentType,
      body,
      sentAt,
      storedAt,
      availableAt,
      attempts,
    );
  }
}

function fromRow({ id, content_type: contentType, body, sent_at: sentAt, attempts }: Row): StoredMessage {
  return { id, contentType: contentType as ContentType, body, sentAt, attempts };
}
