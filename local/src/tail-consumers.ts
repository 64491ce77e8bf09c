import type { Platform } from "./platform.ts";
import { Refusal } from "./refusal.ts";
import { type ScriptVersion, accountAddress } from "./script.ts";

/** The name of the logs Worker as a tail consumer. The platform runs it, so it always exists. */
export const LOGS_WORKER = "logs";

/** The most tail consumers of a Worker. */
const MAX_CONSUMERS = 10;

/** The names of the account Workers that get the traces of a version. */
export function tailConsumers(settings: ScriptVersion["settings"]): string[] {
  const consumers = settings["tail_consumers"];
  return Array.isArray(consumers) ? consumers.map((consumer: { service?: unknown } | null) => String(consumer?.service)) : [];
}

/** Refuses tail consumers that do not exist. As on Cloudflare, they are account Workers. */
export async function checkTailConsumers({ store }: Platform, settings: ScriptVersion["settings"]): Promise<void> {
  const consumers = tailConsumers(settings);
  if (consumers.length > MAX_CONSUMERS) {
    throw new Refusal("BODY_INVALID", `\`tail_consumers\` has ${consumers.length} elements, and the most is ${MAX_CONSUMERS}.`);
  }
  for (const consumer of consumers) {
    if (consumer === LOGS_WORKER) continue;
    if ((await store.liveVersion(accountAddress(consumer))) !== null) continue;
    throw new Refusal(
      "SERVICE_NOT_FOUND",
      `The tail consumer '${consumer}' was not found. Tail consumers are Workers of the account: deploy ${consumer} with ` +
        "`wrangler deploy` and without a dispatch namespace first, or correct the name.",
    );
  }
}
