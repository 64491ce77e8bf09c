/** How long calls may follow each other until the runtime reads its sockets again, in milliseconds. */
const INTERVAL_MS = 20;

let last = Date.now();

/**
 * Lets the runtime read its sockets, unless it just did. Calls between Workers and to their storage stay inside of the runtime, and as long
 * as one follows the other, it accepts no request and receives no bytes: a Worker that awaits thousands of them would stop all others.
 * Await it in every entrypoint that an isolate of a user Worker calls.
 */
export async function letOthersRun(): Promise<void> {
  if (Date.now() - last < INTERVAL_MS) return;
  await scheduler.wait(0);
  last = Date.now();
}
