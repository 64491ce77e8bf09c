import { checkCrons } from "../crons.ts";
import { Refusal } from "../refusal.ts";
import { type Call, jsonBody, scriptOf } from "./call.ts";
import { success } from "./envelope.ts";
import type { Schedule } from "../store/account-workers.ts";

/** The crons of a Worker. */
export async function listSchedules(call: Call): Promise<Response> {
  const { script } = await scriptOf(call);
  return success(shownSchedules(await call.var.platform.store.schedules(script)));
}

/** Replaces the crons of a Worker: `[{cron}]`. */
export async function putSchedules(call: Call): Promise<Response> {
  const { script } = await scriptOf(call);
  const { store } = call.var.platform;
  const body = await jsonBody(call);
  if (!Array.isArray(body)) throw new Refusal("BODY_INVALID", "The body must be a list of objects with a `cron`.");
  const crons = body.map((element) => {
    const cron = (element as { cron?: unknown } | null)?.cron;
    if (typeof cron === "string") return cron;
    throw new Refusal("SCHEDULE_INVALID", `Each schedule needs a string \`cron\`, and one is ${JSON.stringify(element)}.`);
  });
  const others = (await store.schedules(null)).filter((schedule) => schedule.script !== script);
  checkCrons(crons, others.length);
  await store.setSchedules(script, crons);
  return success(shownSchedules(await store.schedules(script)));
}

function shownSchedules(schedules: readonly Schedule[]): Record<string, unknown> {
  return {
    schedules: schedules.map(({ cron, createdOn, modifiedOn }) => ({ cron, created_on: createdOn, modified_on: modifiedOn })),
  };
}

/** Refuses the routes and custom domains of a deploy, which would not serve the Worker. */
export function refuseRoutes(): never {
  throw new Refusal(
    "NOT_SIMULATED",
    "The local platform stores zones, routes and custom domains for migrations, and serves no host of them. Remove `routes` from the " +
      'configuration for local use and set "workers_dev": true: the Worker then has the address NAME.workers.dev.localhost.',
  );
}

/** Refuses `wrangler tail`. */
export function refuseTail(): never {
  throw new Refusal(
    "NOT_SIMULATED",
    "The local platform does not simulate `wrangler tail`. `console.log` of a Worker appears in the terminal of `npm run dev`.",
  );
}
