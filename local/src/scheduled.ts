import { WorkerEntrypoint } from "cloudflare:workers";
import { isDue } from "./crons.ts";
import type { Environment } from "./environment.ts";
import { callHandlers } from "./live-worker.ts";
import { type Platform, platform } from "./platform.ts";
import { type ScriptAddress, accountAddress } from "./script.ts";

const MINUTE_MS = 60_000;

/** The result of a `scheduled` handler. */
export interface ScheduledResult {
  /** `ok`, or `exception` if the handler threw. */
  readonly outcome: string;
  /** Whether the handler called `controller.noRetry()`. */
  readonly noRetry: boolean;
}

/** Calls the `scheduled` handler of the live version of a script, and waits for its end. */
export async function runScheduled(
  here: Platform,
  address: ScriptAddress,
  cron: string,
  scheduledTime: Date,
): Promise<ScheduledResult> {
  const { outcome, noRetry } = await callHandlers(here, "scheduled", address, (worker) =>
    worker.scheduled({ cron, scheduledTime }),
  );
  return { outcome, noRetry };
}

/**
 * Runs the crons of account Workers. The supervisor calls it each minute, because no timer runs without a request: `/?minute=N`, in
 * minutes since 1970. It repeats a call that is not acknowledged, and restarts the runtime, so each minute is claimed in the store first
 * and runs once.
 */
export class CronClock extends WorkerEntrypoint<Environment> {
  override async fetch(request: Request): Promise<Response> {
    const here = platform(this.env, this.ctx);
    const minute = Number(new URL(request.url).searchParams.get("minute"));
    if (!Number.isSafeInteger(minute) || minute <= 0) return new Response(null, { status: 400 });
    if (await here.store.claimMinute(minute)) {
      const time = new Date(minute * MINUTE_MS);
      for (const { script, cron } of await here.store.schedules(null)) {
        if (isDue(cron, time)) this.ctx.waitUntil(runAndLog(here, script, cron, time));
      }
    }
    return new Response(null, { status: 204 });
  }
}

/** Runs a cron. A failure appears in the terminal of `npm run dev`; as on Cloudflare, the cron is not run again. */
async function runAndLog(here: Platform, script: string, cron: string, time: Date): Promise<void> {
  try {
    const { outcome } = await runScheduled(here, accountAddress(script), cron, time);
    if (outcome !== "ok") console.error(`The cron ${JSON.stringify(cron)} of the account Worker ${script} ended with ${outcome}.`);
  } catch (cause) {
    console.error(`The cron ${JSON.stringify(cron)} of the account Worker ${script} failed:`, cause);
  }
}
