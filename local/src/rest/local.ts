import { RECEIVING_TYPES, received, type ReceivedRecord, type ReceivingType } from "../bindings/received.ts";
import { checkCrons } from "../crons.ts";
import { endUnusedIsolates, listIsolates as runningIsolates } from "../isolate/isolate-pool.ts";
import { Refusal } from "../refusal.ts";
import { runScheduled } from "../scheduled.ts";
import { ACCOUNT_NAMESPACE, checkScriptName } from "../script.ts";
import { type Call, checkNamespace } from "./call.ts";
import { success } from "./envelope.ts";

/** The latest time of a `Date`. */
const MAX_TIME = 8.64e15;

/**
 * The last calls of `get` by the dispatch Worker, the newest first: `?namespace=&script=`. Cloudflare's API has no such call. It shows
 * the `limits` and `outbound` parameters, which the local platform does not apply.
 */
export async function listDispatches(call: Call): Promise<Response> {
  return success((await call.var.platform.store.dispatches()).filter(selection(call)));
}

/** Deletes the records of dispatches. */
export async function clearDispatches(call: Call): Promise<Response> {
  await call.var.platform.store.clearDispatches();
  return success(null);
}

/** What bindings of a type received, the newest first: `?type=send_email&namespace=&script=`. Cloudflare's API has no such call. */
export async function listReceived(call: Call): Promise<Response> {
  const records = JSON.parse(await received(call.env).newest(typeOf(call))) as ReceivedRecord[];
  return success(records.filter(selection(call)));
}

/** Deletes what bindings of a type received. */
export async function clearReceived(call: Call): Promise<Response> {
  await received(call.env).clear(typeOf(call));
  return success(null);
}

/** The isolates of user Workers that run: `?namespace=&script=`. Cloudflare's API has no such call. Ends the unused ones first. */
export async function listIsolates(call: Call): Promise<Response> {
  await endUnusedIsolates(call.var.platform, 0);
  return success(runningIsolates().filter(selection(call)));
}

/**
 * Calls the `scheduled` handler of a Worker and returns its outcome: `?namespace=&script=&cron=&time=`. Without `namespace`, it is an
 * account Worker. `time` is in milliseconds since 1970, and now if it is absent. Cloudflare's API has no such call.
 */
export async function runScheduledHandler(call: Call): Promise<Response> {
  const { req, env, var: { platform } } = call;
  const script = req.query("script");
  if (!script) throw new Refusal("BODY_INVALID", "`?script=` must name the Worker whose `scheduled` handler runs.");
  checkScriptName(script);
  const namespace = req.query("namespace");
  if (namespace !== undefined) checkNamespace(env, namespace);
  const cron = req.query("cron") ?? "";
  if (cron !== "") checkCrons([cron], 0);
  const time = Number(req.query("time") || Date.now());
  if (!Number.isSafeInteger(time) || Math.abs(time) > MAX_TIME) {
    throw new Refusal("BODY_INVALID", "`?time=` must be a time in milliseconds since 1970.");
  }
  return success(await runScheduled(platform, { namespace: namespace ?? ACCOUNT_NAMESPACE, script }, cron, new Date(time)));
}

function typeOf(call: Call): ReceivingType {
  const type = RECEIVING_TYPES.find((known) => known === call.req.query("type"));
  if (type !== undefined) return type;
  throw new Refusal("BODY_INVALID", `\`?type=\` must be one of ${RECEIVING_TYPES.join(", ")}.`);
}

/** Selects what belongs to the namespace and the script in the query, or all. */
function selection({ req }: Call): (record: { readonly namespace: string; readonly script: string }) => boolean {
  const [namespace, script] = [req.query("namespace"), req.query("script")];
  return (record) => (namespace ?? record.namespace) === record.namespace && (script ?? record.script) === record.script;
}
