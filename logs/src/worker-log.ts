import { DurableObject } from "cloudflare:workers";
import { Admission } from "./admission.ts";
import type { Batch } from "./batches.ts";
import type { Filter, Positioned } from "./query.ts";
import { type Dropped, LogStore, MAX_AGE_MS } from "./store.ts";
import { type Message, Subscribers } from "./subscribers.ts";
import type { LogEvent } from "./types.ts";

/** A page of a log, the newest event first. */
export interface Page {
  readonly events: readonly Positioned[];
  readonly dropped: Dropped;
}

/** A log that a client follows. */
export interface Followed {
  /** The position after which the messages begin. */
  readonly start: number;
  /** One JSON value of the type {@link Message} a line. */
  readonly messages: ReadableStream<Uint8Array>;
}

/**
 * One log: of a Worker in a namespace, or of all names in a namespace that are not deployed. It stores blocks of events
 * (`store.ts`) and sends new events to the clients that follow it. Nothing but logs is stored here, so a flood of events reaches neither
 * the dispatch Worker nor the deploy API.
 */
export class WorkerLog extends DurableObject {
  #store: LogStore;
  readonly #admission = new Admission();
  readonly #subscribers = new Subscribers();

  constructor(context: DurableObjectState, env: Cloudflare.Env) {
    super(context, env);
    this.#store = new LogStore(context.storage.sql);
  }

  /** Stores events, unless it has stored this batch before. Those that are too many are counted. */
  async append({ id, isRepeated, events, dropped }: Batch): Promise<void> {
    const now = Date.now();
    // The time is the first member of each event. Those of one batch come from several requests.
    const admitted = events.slice(0, this.#admission.admit(events.length, now)).sort();
    const lost = dropped + events.length - admitted.length;
    const first = this.#store.append(admitted, now, { id, isRepeated });
    if (first === null) return;
    if (lost > 0) this.#store.recordDropped(lost, now);
    if (this.#subscribers.size > 0) {
      const added = admitted.map((text, index) => ({ position: first + index, event: JSON.parse(text) as LogEvent }));
      this.#subscribers.publish(added, lost);
    }
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(now + MAX_AGE_MS);
  }

  /** The newest events before a position. */
  page(before: number | null, filter: Filter, limit: number): Page {
    return { events: this.#store.before(before, filter, limit), dropped: this.#store.dropped() };
  }

  /** The events after a position, or only the new ones, and all that come. */
  follow(after: number | null, filter: Filter): Followed {
    const reached = Math.max(0, this.#store.next - 1);
    const isFromNow = after === null && filter.since === undefined;
    const start = isFromNow ? reached : (after ?? 0);
    // They are read while new events are stored, which `publish` sends.
    const stored = this.#store.between(start + 1, reached, filter);
    const messages = (function* (): Generator<Message> {
      if (isFromNow) return;
      yield* stored;
      yield { at: reached };
    })();
    return { start, messages: this.#subscribers.subscribe(messages, filter) };
  }

  /** Removes old events, and the object's whole storage when nothing is left. */
  override async alarm(): Promise<void> {
    const oldest = this.#store.expire(Date.now());
    if (oldest !== null) await this.ctx.storage.setAlarm(oldest + MAX_AGE_MS);
    else {
      await this.ctx.storage.deleteAll();
      this.#store = new LogStore(this.ctx.storage.sql);
    }
  }
}
