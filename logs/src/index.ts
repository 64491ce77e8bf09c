import { WorkerEntrypoint, env } from "cloudflare:workers";
import { Batches } from "./batches.ts";
import type { Environment } from "./environment.ts";
import { follow } from "./follow.ts";
import { logOf, ownLog } from "./names.ts";
import { readQuery } from "./query.ts";
import { page } from "./read.ts";
import { type DispatchFailure, eventOf, eventOfFailure } from "./trace.ts";
import type { NamespaceName } from "./types.ts";

export { WorkerLog } from "./worker-log.ts";

/** The events of this isolate that are not delivered yet. */
const batches = new Batches((log, batch) => (env as unknown as Environment).LOGS.getByName(log).append(batch));

/**
 * The logs Worker. The runtime calls `tail`, because the deploy API makes it a tail consumer of every Worker; the local platform and the
 * dispatch Worker call methods; and the deploy API sends requests.
 */
export default class Logs extends WorkerEntrypoint<Environment> {
  /** Stores the traces of Workers in namespaces. */
  override async tail(traces: TraceItem[]): Promise<void> {
    add(traces);
    await batches.delivered();
  }

  /** The same for the local platform, whose runtime cannot call `tail` with the names of the producer. Does not wait for the logs. */
  recordTraces(traces: TraceItem[]): void {
    add(traces);
    this.ctx.waitUntil(batches.delivered());
  }

  /** Stores a failure of the dispatch Worker. Does not wait for the log. */
  recordFailure(failure: DispatchFailure): void {
    const event = eventOfFailure(failure, Date.now());
    batches.add(logOf(event), () => JSON.stringify(event));
    this.ctx.waitUntil(batches.delivered());
  }

  /**
   * `GET /{namespace}/{worker}` with the parameters of a `Query`: a page of events, the newest first; `GET /{namespace}/{worker}/follow`: a
   * stream of events. The deploy API has authorized the client.
   */
  override async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [, namespace, worker, what] = pathname.split("/");
    if (namespace === undefined || worker === undefined) return new Response(null, { status: 404 });
    const query = readQuery(searchParams);
    return await (what === "follow" ? follow : page)(this.env, namespace, worker, query);
  }
}

/** Adds the events of traces. Traces of Workers that are in no namespace are ignored. */
function add(traces: readonly TraceItem[]): void {
  for (const trace of traces) {
    const { scriptName, dispatchNamespace } = trace;
    if (typeof scriptName !== "string" || typeof dispatchNamespace !== "string") continue;
    // Only Workers that the deploy API deploys have this tail consumer.
    const source = { namespace: dispatchNamespace as NamespaceName, worker: scriptName };
    batches.add(ownLog(source.namespace, source.worker), () => JSON.stringify(eventOf(trace, source)));
  }
}
