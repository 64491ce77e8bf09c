import type { LogEvent } from "./types.ts";

/** The codes of failures that only a Worker that is deployed causes. */
const OF_DEPLOYED = new Set(["WORKER_FAILED", "WORKER_LIMIT_EXCEEDED"]);

/** The name of the log of a Worker. */
export function ownLog(namespace: string, worker: string): string {
  return `${namespace}/${worker}`;
}

/** The name of the log that all Workers of a namespace share which are not deployed. */
export function sharedLog(namespace: string): string {
  return namespace;
}

/** The name of the log of an event. Anybody can send requests for invented names, so these have no log of their own. */
export function logOf({ namespace, worker, code }: LogEvent): string {
  return code === null || OF_DEPLOYED.has(code) ? ownLog(namespace, worker) : sharedLog(namespace);
}
