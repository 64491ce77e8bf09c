import type { Batch } from "./batches.ts";
import { type Filter, matches, type Positioned } from "./query.ts";
import type { LogEvent } from "./types.ts";

/** A log has at least this many of the last events, unless they are too large or too old. */
export const MAX_EVENTS = 5_000;
/** The most bytes of a log. */
export const MAX_BYTES = 4_000_000;
/** How long events are stored, in milliseconds. */
export const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000;

/** The most events and bytes of a block. The oldest block is removed as a whole. */
const BLOCK_EVENTS = 100;
const BLOCK_BYTES = 64_000;

/** Positions begin at the time in microseconds, so those of a log that was emptied are not used again. */
const POSITIONS_PER_MS = 1000;

/**
 * One row for many events, because each row that is written costs as much as a read of a thousand. `first` is the position of the first
 * event, `stored` the time at which the block was stored, `batch` the id of the batch that it is a part of, and `events` has one JSON
 * value a line.
 */
const SCHEMA = [
  "CREATE TABLE blocks (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL, stored INTEGER NOT NULL, batch TEXT NOT NULL, events TEXT NOT NULL)",
  "CREATE TABLE drops (id INTEGER PRIMARY KEY CHECK (id = 0), count INTEGER NOT NULL, last INTEGER NOT NULL)",
];

/** Adds the column to a log that was created when batches had no ids. */
const ADD_BATCH = "ALTER TABLE blocks ADD COLUMN batch TEXT NOT NULL DEFAULT ''";

/** How many events were not stored because too many came at once. */
export interface Dropped {
  readonly events: number;
  /** When the last ones were dropped, in milliseconds; `null` if none were. */
  readonly last: number | null;
}

/** The events of one log. The tables are created with the first event, so that reading the log of an invented name stores nothing. */
export class LogStore {
  readonly #sql: SqlStorage;
  #isCreated: boolean;
  #events = 0;
  #bytes = 0;
  #next = 0;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    const [table] = sql.exec<{ sql: string }>("SELECT sql FROM sqlite_master WHERE name = 'blocks'").toArray();
    this.#isCreated = table !== undefined;
    if (table === undefined) return;
    if (!table.sql.includes("batch TEXT")) sql.exec(ADD_BATCH);
    const { events, bytes, next } = sql
      .exec<{ events: number; bytes: number; next: number }>(
        "SELECT coalesce(sum(count), 0) AS events, coalesce(sum(bytes), 0) AS bytes, coalesce(max(first + count), 0) AS next FROM blocks",
      )
      .one();
    this.#events = events;
    this.#bytes = bytes;
    this.#next = next;
  }

  /**
   * Stores the events of a batch, each as JSON, and removes old ones. Returns the position of the first event; `null` if the batch is
   * repeated and was stored before.
   */
  append(events: readonly string[], now: number, batch: Pick<Batch, "id" | "isRepeated">): number | null {
    if (batch.isRepeated && this.#has(batch.id)) return null;
    if (events.length === 0) return this.#next;
    this.#create();
    const first = this.#events === 0 ? Math.max(this.#next, now * POSITIONS_PER_MS) : this.#next;
    this.#next = first;
    let block: string[] = [];
    let bytes = 0;
    for (const event of events) {
      const size = byteLength(event) + 1;
      if (block.length === BLOCK_EVENTS || (block.length > 0 && bytes + size > BLOCK_BYTES)) {
        this.#insert(block, bytes, now, batch.id);
        block = [];
        bytes = 0;
      }
      block.push(event);
      bytes += size;
    }
    this.#insert(block, bytes, now, batch.id);
    this.#trim();
    return first;
  }

  /** The position after the last event; 0 if the log was never used. */
  get next(): number {
    return this.#next;
  }

  /** Counts events that are not stored. */
  recordDropped(count: number, now: number): void {
    this.#create();
    this.#sql.exec(
      "INSERT INTO drops (id, count, last) VALUES (0, ?, ?) ON CONFLICT (id) DO UPDATE SET count = count + excluded.count, last = excluded.last",
      count,
      now,
    );
  }

  /** How many events were not stored within the last days. */
  dropped(): Dropped {
    if (!this.#isCreated) return { events: 0, last: null };
    const [row] = this.#sql.exec<{ count: number; last: number }>("SELECT count, last FROM drops").toArray();
    return { events: row?.count ?? 0, last: row?.last ?? null };
  }

  /** The newest events before a position that match, the newest first, at most `limit`. */
  before(position: number | null, filter: Filter, limit: number): Positioned[] {
    const found: Positioned[] = [];
    for (const block of this.#blocks("first < ? ORDER BY first DESC", position ?? Number.MAX_SAFE_INTEGER)) {
      for (const positioned of block.reverse()) {
        if (position !== null && positioned.position >= position) continue;
        if (!matches(filter, positioned.event)) continue;
        found.push(positioned);
        if (found.length === limit) return found;
      }
    }
    return found;
  }

  /** The events that match from a position to a last one, the oldest first. */
  *between(position: number, last: number, filter: Filter): Generator<Positioned> {
    for (const block of this.#blocks("first + count > ? ORDER BY first", position)) {
      for (const positioned of block) {
        if (positioned.position > last) return;
        if (positioned.position >= position && matches(filter, positioned.event)) yield positioned;
      }
    }
  }

  /** Removes what is too old. Returns when the oldest rest was stored, in milliseconds; `null` if nothing is left. */
  expire(now: number): number | null {
    if (!this.#isCreated) return null;
    const oldest = now - MAX_AGE_MS;
    this.#sql.exec("DELETE FROM blocks WHERE stored <= ?", oldest);
    this.#sql.exec("DELETE FROM drops WHERE last <= ?", oldest);
    const row = this.#sql
      .exec<{ events: number; bytes: number; stored: number | null }>(
        "SELECT coalesce(sum(count), 0) AS events, coalesce(sum(bytes), 0) AS bytes, min(stored) AS stored FROM blocks",
      )
      .one();
    this.#events = row.events;
    this.#bytes = row.bytes;
    return row.stored ?? this.dropped().last;
  }

  #has(batch: string): boolean {
    return this.#isCreated && this.#sql.exec("SELECT 1 FROM blocks WHERE batch = ? LIMIT 1", batch).toArray().length > 0;
  }

  #create(): void {
    if (this.#isCreated) return;
    for (const table of SCHEMA) this.#sql.exec(table);
    this.#isCreated = true;
  }

  #insert(events: readonly string[], bytes: number, now: number, batch: string): void {
    this.#sql.exec(
      "INSERT INTO blocks (first, count, bytes, stored, batch, events) VALUES (?, ?, ?, ?, ?, ?)",
      this.#next,
      events.length,
      bytes,
      now,
      batch,
      events.join("\n"),
    );
    this.#next += events.length;
    this.#events += events.length;
    this.#bytes += bytes;
  }

  /** Removes the oldest blocks while the rest has enough events, or too many bytes. */
  #trim(): void {
    if (this.#events <= MAX_EVENTS && this.#bytes <= MAX_BYTES) return;
    const blocks = this.#sql
      .exec<{ first: number; count: number; bytes: number }>("SELECT first, count, bytes FROM blocks ORDER BY first")
      .toArray();
    for (const { first, count, bytes } of blocks) {
      if (this.#events - count < MAX_EVENTS && this.#bytes <= MAX_BYTES) return;
      this.#sql.exec("DELETE FROM blocks WHERE first = ?", first);
      this.#events -= count;
      this.#bytes -= bytes;
    }
  }

  /** The events of one block after the other. Each is read when it is needed. */
  *#blocks(condition: string, position: number): Generator<Positioned[]> {
    if (!this.#isCreated) return;
    const firsts = this.#sql.exec<{ first: number }>(`SELECT first FROM blocks WHERE ${condition}`, position).toArray();
    for (const { first } of firsts) {
      const [row] = this.#sql.exec<{ events: string }>("SELECT events FROM blocks WHERE first = ?", first).toArray();
      if (row === undefined) continue;
      yield row.events.split("\n").map((text, index) => ({ position: first + index, event: JSON.parse(text) as LogEvent }));
    }
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
