import { letOthersRun } from "./event-loop.ts";
import type { Platform } from "./platform.ts";

/**
 * Code of a user Worker that is about to run: a request, an event of a Durable Object (`object`) or an alarm of one, a handler for a
 * cron, a queue or a tail, or the start of an upload that is being checked (`start-check`).
 */
export interface Invocation {
  readonly kind: "request" | "object" | "alarm" | "scheduled" | "queue" | "tail" | "start-check";
  readonly namespace: string;
  readonly script: string;
  /** The id of the version. For a `start-check`, the digest of the uploaded modules, which is the same when an upload is repeated. */
  readonly version: string;
}

/** Code that the supervisor does not permit to run. The text is Cloudflare's, by which the dispatch Worker recognizes the failure. */
export class NotPermitted extends Error {
  constructor() {
    super("Worker exceeded CPU time limit.");
  }
}

/** Invocations of one version that run now, and whether the supervisor has acknowledged the first of them. */
interface Running {
  readonly id: number;
  count: number;
  acknowledged: boolean;
}

/** What distinguishes this runtime from the one before a restart. It is chosen at the first invocation. */
let runtime: string | undefined;
let lastId = 0;
const running = new Map<string, Running>();

/**
 * Calls `run`, which runs code of a user Worker, and has the start and the end of the invocation recorded outside of the runtime: by the
 * supervisor in the process of `npm run dev` (`xtask/src/platform/supervisor/`). If the code never returns, the whole runtime hangs;
 * the supervisor then names the Workers that were running, and restarts the runtime. Use it around every call into an isolate of
 * a user Worker:
 *
 *     return await recordedInvocation(here, { kind: "request", ...address }, () => isolate.getEntrypoint().fetch(request));
 *
 * While an invocation of a version runs, others of the same version and kind are not recorded separately.
 *
 * @throws NotPermitted when the version was running at two hangs. A `start-check` is not permitted from the first hang on.
 */
export async function recordedInvocation<T>(
  platform: Platform,
  invocation: Invocation,
  run: () => Promise<T>,
): Promise<T> {
  await letOthersRun();
  const key = `${invocation.kind}/${invocation.version}`;
  let entry = running.get(key);
  if (entry === undefined) {
    entry = { id: (lastId += 1), count: 0, acknowledged: false };
    running.set(key, entry);
  }
  entry.count += 1;
  try {
    if (!entry.acknowledged) {
      if (!(await isPermitted(platform, entry.id, invocation))) throw new NotPermitted();
      entry.acknowledged = true;
    }
    return await run();
  } finally {
    entry.count -= 1;
    if (entry.count === 0) {
      running.delete(key);
      platform.waitUntil(report(platform, "end", { id: entry.id }));
    }
  }
}

/** Reports the start of an invocation, and returns whether it may run. */
async function isPermitted(platform: Platform, id: number, invocation: Invocation): Promise<boolean> {
  const response = await report(platform, "start", { id, ...invocation });
  return response?.status !== 403;
}

/** Sends a report, and returns the supervisor's response. Returns `null` if there is no supervisor, or if it does not respond. */
async function report(platform: Platform, event: "start" | "end", body: object): Promise<Response | null> {
  const { SUPERVISOR_URL, SUPERVISOR_SECRET } = platform.environment;
  if (SUPERVISOR_URL === undefined || SUPERVISOR_SECRET === undefined) return null;
  runtime ??= crypto.randomUUID();
  try {
    const response = await fetch(`${SUPERVISOR_URL}/${event}`, {
      method: "POST",
      headers: { authorization: `Bearer ${SUPERVISOR_SECRET}` },
      body: JSON.stringify({ runtime, ...body }),
    });
    // An unread body would keep the connection from being used again.
    await response.arrayBuffer();
    return response;
  } catch {
    // The supervisor has ended, and with it the platform's port.
    return null;
  }
}
