import { type Filter, matches, type Positioned } from "./query.ts";

/** The most bytes that wait for a client that reads slowly. What comes beyond is dropped and counted. */
const MAX_WAITING = 1_000_000;

/** The bytes of stored events that are sent at once. */
const PIECE = 64_000;

/**
 * What a client that follows a log gets, a line of JSON each: an event; how many events were dropped; or the position that it has reached,
 * which can be that of an event that does not match.
 */
export type Message = Positioned | { readonly dropped: number } | { readonly at: number };

/** Clients that follow a log. */
export class Subscribers {
  readonly #all = new Set<Subscriber>();

  /** The number of clients. */
  get size(): number {
    return this.#all.size;
  }

  /** A stream of the `stored` messages, which are read as the client reads, and then of each new event that matches. */
  subscribe(stored: Iterator<Message>, filter: Filter): ReadableStream<Uint8Array> {
    const subscriber = new Subscriber(stored, filter);
    this.#all.add(subscriber);
    return new ReadableStream(
      {
        type: "bytes",
        pull: async (controller) => controller.enqueue(new TextEncoder().encode(await subscriber.next())),
        cancel: () => void this.#all.delete(subscriber),
      },
      { highWaterMark: 0 },
    );
  }

  /** Sends new events to the clients, and how many were dropped. */
  publish(events: readonly Positioned[], dropped: number): void {
    for (const subscriber of this.#all) subscriber.push(events, dropped);
  }
}

class Subscriber {
  readonly #stored: Iterator<Message>;
  readonly #filter: Filter;
  #isLive = false;
  /** The lines that the client has not read. */
  #waiting = "";
  #dropped = 0;
  #wake: () => void = () => undefined;

  constructor(stored: Iterator<Message>, filter: Filter) {
    this.#stored = stored;
    this.#filter = filter;
  }

  push(events: readonly Positioned[], dropped: number): void {
    this.#dropped += dropped;
    for (const event of events) {
      if (!matches(this.#filter, event.event)) continue;
      if (this.#waiting.length >= MAX_WAITING) this.#dropped += 1;
      else this.#waiting += line(event);
    }
    this.#wake();
  }

  /** The next lines, when there are some. */
  async next(): Promise<string> {
    if (!this.#isLive) {
      const lines = this.#storedLines();
      if (lines !== "") return lines;
      this.#isLive = true;
    }
    while (this.#waiting === "" && this.#dropped === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    const lines = this.#waiting + (this.#dropped > 0 ? line({ dropped: this.#dropped }) : "");
    this.#waiting = "";
    this.#dropped = 0;
    return lines;
  }

  #storedLines(): string {
    let lines = "";
    while (lines.length < PIECE) {
      const { done, value } = this.#stored.next();
      if (done === true) break;
      lines += line(value);
    }
    return lines;
  }
}

function line(message: Message): string {
  return `${JSON.stringify(message)}\n`;
}
