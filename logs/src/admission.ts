/** How many events a second a log stores, and how many at once after a pause. A log has 5,000 events, so more would not be seen. */
const PER_SECOND = 2_000;
const AT_ONCE = 10_000;

/** Limits how many events a log stores, so that a flood does not keep its object busy. */
export class Admission {
  #tokens = AT_ONCE;
  #since: number | null = null;

  /** How many of `count` events may be stored now. */
  admit(count: number, now: number): number {
    const elapsed = this.#since === null ? 0 : Math.max(0, now - this.#since);
    this.#since = now;
    this.#tokens = Math.min(AT_ONCE, this.#tokens + (elapsed * PER_SECOND) / 1000);
    const admitted = Math.min(count, Math.floor(this.#tokens));
    this.#tokens -= admitted;
    return admitted;
  }
}
