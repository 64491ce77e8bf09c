import { WorkerEntrypoint } from "cloudflare:workers";
import { withoutOrigin } from "./console-origin.ts";
import type { Environment } from "./environment.ts";
import { OWN_MODULE_PREFIX } from "./deploy/modules.ts";
import { NAMES } from "./isolate/names.ts";
import { callHandlers, type TailEvent } from "./live-worker.ts";
import { type Platform, platform } from "./platform.ts";
import { type VersionAddress, accountAddress, isAccountWorker } from "./script.ts";
import { LOGS_WORKER, tailConsumers } from "./tail-consumers.ts";

/** Receives the traces of a version from the runtime, and passes them on to its tail consumers: account Workers and the logs Worker. */
export class Tail extends WorkerEntrypoint<Environment, VersionAddress> {
  override async tail(traces: TraceItem[]): Promise<void> {
    const ended = Date.now();
    const here = platform(this.env, this.ctx);
    const producer = this.ctx.props;
    // The platform's own calls of an isolate have traces too.
    const own: readonly (string | undefined)[] = [NAMES.endEntrypoint, NAMES.tailEntrypoint];
    const shown = traces.filter(({ entrypoint }) => !own.includes(entrypoint));
    if (shown.length === 0) return;
    const version = await here.store.version(producer.version);
    if (version === null) return;
    const events = shown.map((trace) => tailEvent(trace, producer, version.tags, ended));
    const consumers = tailConsumers(version.settings);
    await Promise.all(consumers.map((consumer) => deliver(here, consumer, events)));
  }
}

async function deliver(here: Platform, consumer: string, events: readonly TailEvent[]): Promise<void> {
  try {
    if (consumer === LOGS_WORKER) await here.environment.LOGS.recordTraces(events);
    else await callHandlers(here, "tail", accountAddress(consumer), (worker) => worker.receive(events));
  } catch (cause) {
    console.error(`The tail consumer ${consumer} failed:`, cause);
  }
}

/** An exception without the frames of the platform's modules, which no deployed Worker has. */
function withoutOwnFrames(exception: TraceException): TraceException {
  const frames = exception.stack?.split("\n").filter((frame) => !frame.includes(OWN_MODULE_PREFIX));
  return { ...exception, ...(frames === undefined ? {} : { stack: frames.join("\n") }) };
}

/**
 * A trace with the names of its Worker, as a value that can be sent to another isolate. The runtime measures neither wall nor CPU time
 * here. It calls the consumer when all work has ended, which is the end of the wall time on Cloudflare.
 */
function tailEvent(trace: TraceItem, producer: VersionAddress, tags: readonly string[], ended: number): TailEvent {
  const copy = JSON.parse(JSON.stringify(trace)) as TailEvent & Pick<TraceItem, "logs" | "exceptions">;
  return {
    ...copy,
    logs: copy.logs.map(withoutOrigin),
    exceptions: copy.exceptions.map(withoutOwnFrames),
    scriptName: producer.script,
    scriptVersion: { id: producer.version },
    scriptTags: tags,
    wallTime: Math.max(0, ended - (trace.eventTimestamp ?? ended)),
    cpuTime: null,
    ...(isAccountWorker(producer) ? {} : { dispatchNamespace: producer.namespace }),
  };
}
