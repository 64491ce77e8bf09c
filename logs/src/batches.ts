/** How long events are collected before they are sent to their logs, in milliseconds. */
export const WINDOW_MS = 500;

/** After this time without a delivery, its request has ended. In milliseconds. */
const LOST_MS = 10_000;

/** The most events of one log, and the most bytes of all, that wait. What comes beyond is dropped and counted. */
const MAX_EVENTS = 2_000;
const MAX_BYTES = 8_000_000;

/** Events of one log that are sent together. */
export interface Batch {
  /** Identifies it when it is sent a second time. */
  readonly id: string;
  /** Whether the log may have it already, because no answer to the first attempt arrived. */
  readonly isRepeated: boolean;
  /** Each as JSON. */
  events: string[];
  /** How many were dropped. */
  dropped: number;
}

/**
 * Collects the events of all requests of an isolate, so that many requests become one message to each log. The first request of a window
 * waits and delivers for the others, which end at once. Only this isolate's memory holds the events until then.
 */
export class Batches {
  readonly #deliver: (log: string, batch: Batch) => Promise<void>;
  readonly #wait: (milliseconds: number) => Promise<void>;
  #pending = new Map<string, Batch>();
  #bytes = 0;
  /** When the current delivery was begun; `null` if none waits. */
  #began: number | null = null;

  constructor(deliver: (log: string, batch: Batch) => Promise<void>, wait = (milliseconds: number) => scheduler.wait(milliseconds)) {
    this.#deliver = deliver;
    this.#wait = wait;
  }

  /** Adds an event to a log. `event` is called only if there is room. */
  add(log: string, event: () => string): void {
    const batch = this.#of(log);
    if (batch.events.length >= MAX_EVENTS || this.#bytes >= MAX_BYTES) {
      batch.dropped += 1;
      return;
    }
    const text = event();
    batch.events.push(text);
    this.#bytes += text.length;
  }

  /** Resolves when the added events are delivered, or at once if another request delivers them. */
  async delivered(): Promise<void> {
    const now = Date.now();
    if (this.#began !== null && now - this.#began < LOST_MS) return;
    this.#began = now;
    await this.#wait(WINDOW_MS);
    this.#began = null;
    const pending = this.#pending;
    this.#pending = new Map();
    this.#bytes = 0;
    await Promise.all([...pending].map(([log, batch]) => this.#send(log, batch)));
  }

  /**
   * Sends a batch, a second time if the first attempt fails: an object fails once while it moves. It may have stored the batch before that,
   * so the second attempt is marked.
   */
  async #send(log: string, batch: Batch): Promise<void> {
    try {
      await this.#deliver(log, batch).catch(() => this.#deliver(log, { ...batch, isRepeated: true }));
    } catch (cause) {
      console.error(`${batch.events.length} events of ${log} are lost:`, cause);
      this.#of(log).dropped += batch.events.length + batch.dropped;
    }
  }

  #of(log: string): Batch {
    let batch = this.#pending.get(log);
    if (batch === undefined) {
      batch = { id: crypto.randomUUID(), isRepeated: false, events: [], dropped: 0 };
      this.#pending.set(log, batch);
    }
    return batch;
  }
}
