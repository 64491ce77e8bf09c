import { Cron, type CronOptions } from "croner";
import { Refusal } from "./refusal.ts";

/** Cloudflare's limit for the crons of an account. */
const MAX_CRONS = 1000;
/** Cloudflare's dialect: 1 is Sunday, and `5/15` are all minutes from 5 on in steps of 15. */
const OPTIONS: CronOptions = { timezone: "UTC", mode: "5-part", alternativeWeekdays: true, sloppyRanges: true, paused: true };

/** The most characters of a cron. */
const MAX_LENGTH = 200;

/**
 * Refuses crons that Cloudflare refuses. They have five fields: minute, hour, day of the month (`L`, `W`), month and day of the week
 * (1 is Sunday; `L`, `#`), in UTC. `others` is how many crons the other Workers of the account have.
 */
export function checkCrons(crons: readonly string[], others: number): void {
  for (const cron of crons) parse(cron);
  if (new Set(crons).size < crons.length) {
    throw new Refusal("SCHEDULE_INVALID", "Two crons are the same. Remove one of them.");
  }
  if (others + crons.length <= MAX_CRONS) return;
  throw new Refusal(
    "SCHEDULE_LIMIT_REACHED",
    `This account has reached the limit of ${MAX_CRONS} cron triggers per account. Remove crons of other Workers.`,
  );
}

/** Whether a cron names a minute. */
export function isDue(cron: string, minute: Date): boolean {
  return parse(cron).match(minute);
}

function parse(cron: string): Cron {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5 || cron.length > MAX_LENGTH) {
    throw invalid(cron, "It must have five fields: minute, hour, day of the month, month, day of the week.");
  }
  const days = (fields[4] ?? "").replace(/[/#]\d+/g, "").match(/\d+/g) ?? [];
  if (days.some((day) => Number(day) < 1 || Number(day) > 7)) {
    throw invalid(cron, "A day of the week is a number from 1, which is Sunday, to 7.");
  }
  try {
    const parsed = new Cron(fields.join(" "), OPTIONS);
    if (parsed.nextRun() !== null) return parsed;
  } catch (cause) {
    throw invalid(cron, cause instanceof Error ? cause.message : String(cause));
  }
  throw invalid(cron, "It never names a date.");
}

function invalid(cron: string, reason: string): Refusal {
  return new Refusal("SCHEDULE_INVALID", `The cron ${JSON.stringify(cron.slice(0, MAX_LENGTH))} is invalid. ${reason}`);
}
