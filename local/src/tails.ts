import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "./environment.ts";
import { NAMES } from "./isolate/names.ts";
import { callHandlers, type TailEvent } from "./live-worker.ts";
import { type Platform, platform } from "./platform.ts";
import { type VersionAddress, accountAddress, isAccountWorker } from "./script.ts";
import { tailConsumers } from "./tail-consumers.ts";

/** Receives the traces of a version from the runtime, and passes them on to the account Workers that are its tail consumers. */
export class Tail extends WorkerEntrypoint<Environment, VersionAddress> {
  override async tail(traces: TraceItem[]): Promise<void> {
    const here = platform(this.env, this.ctx);
    const producer = this.ctx.props;
    // The platform's own calls of an isolate have traces too.
    const own: readonly (string | undefined)[] = [NAMES.endEntrypoint, NAMES.tailEntrypoint];
    const events = traces.filter(({ entrypoint }) => !own.includes(entrypoint)).map((trace) => tailEvent(trace, producer));
    if (events.length === 0) return;
    const version = await here.store.version(producer.version);
    const consumers = version === null ? [] : tailConsumers(version.settings);
    await Promise.all(consumers.map((consumer) => deliver(here, consumer, events)));
  }
}

async function deliver(here: Platform, consumer: string, events: readonly TailEvent[]): Promise<void> {
  try {
    await callHandlers(here, "tail", accountAddress(consumer), (worker) => worker.receive(events));
  } catch (cause) {
    console.error(`The tail consumer ${consumer} failed:`, cause);
  }
}

/** A trace with the names of its Worker, as a value that can be sent to another isolate. */
function tailEvent(trace: TraceItem, producer: VersionAddress): TailEvent {
  return {
    ...(JSON.parse(JSON.stringify(trace)) as TailEvent),
    scriptName: producer.script,
    scriptVersion: { id: producer.version },
    ...(isAccountWorker(producer) ? {} : { dispatchNamespace: producer.namespace }),
  };
}
