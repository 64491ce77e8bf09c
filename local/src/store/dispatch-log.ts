import type { ScriptAddress } from "../script.ts";

/** One use of a script through the namespace binding: the arguments of the dispatch Worker's call of `get`. */
export interface Dispatch extends ScriptAddress {
  /** The time of the request: RFC 3339, UTC. */
  readonly at: string;
  /** The second argument of `get`. */
  readonly args: unknown;
  /** `limits` of the third. */
  readonly limits: unknown;
  /** `outbound` of the third. */
  readonly outbound: unknown;
  /** The version that responded; `null` if there was no such script. */
  readonly version: string | null;
}

/** The number of dispatches that are stored. */
const REMEMBERED = 1000;

/** The last dispatches, in memory. People and tests can read what reached the platform. */
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
