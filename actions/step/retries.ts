import { TransientFailure } from "./failure.ts";

/** The pauses between the tries of a request, in milliseconds. */
const PAUSES = [1000, 3000];

/** The longest pause that a server may ask for, in milliseconds. */
const MAX_PAUSE = 10_000;

/** Repeats a request that may be repeated, after failures that may not happen again. */
export async function retried<T>(pause: (milliseconds: number) => Promise<unknown>, once: () => Promise<T>): Promise<T> {
  for (const usual of PAUSES) {
    try {
      return await once();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      const asked = error.retryAfter ?? usual;
      if (asked > MAX_PAUSE) throw error;
      await pause(asked);
    }
  }
  return await once();
}
