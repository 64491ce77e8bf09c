import type { ScriptAddress } from "../script.ts";

/** One use of a script through the namespace binding: what the dispatch Worker passed to `get`. */
export interface Dispatch extends ScriptAddress {
  /** When the request came: RFC 3339, UTC. */
  readonly at: string;
  /** The second argument of `get`. */
  readonly args: unknown;
  /** `limits` of the third. */
  readonly limits: unknown;
  /** `outbound` of the third. */
  readonly outbound: unknown;
  /** The version that answered; `null` when there was no such script. */
  readonly version: string | null;
}

/** How many dispatches are remembered. */
const REMEMBERED = 1000;

/** The last dispatches, in memory only, so that tests and people can see what reached the platform. */
export class DispatchLog {
  #dispatches: Dispatch[] = [];

  add(dispatch: Dispatch): void {
    this.#dispatches.push(dispatch);
    if (this.#dispatches.length >= 2 * REMEMBERED) this.#dispatches = this.#dispatches.slice(-REMEMBERED);
  }

  /** The newest first. */
  newest(): Dispatch[] {
    return this.#dispatches.slice(-REMEMBERED).reverse();
  }

  clear(): void {
    this.#dispatches = [];
  }
}
