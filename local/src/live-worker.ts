import { assetRouter } from "./bindings/assets/workers.ts";
import { recordedInvocation } from "./invocations.ts";
import { endUnusedIsolates, recordLiveVersion } from "./isolate/isolate-pool.ts";
import { scriptIsolate } from "./isolate/isolates.ts";
import { NAMES } from "./isolate/names.ts";
import type { Platform } from "./platform.ts";
import { type ScriptAddress, type VersionAddress, scriptNotFound } from "./script.ts";
import type { LiveVersion } from "./store/scripts.ts";

/** A message of a queue for {@link EventHandlers.queue}. */
export interface QueuedMessage {
  readonly id: string;
  readonly timestamp: Date;
  /** The body, or its serialized form. */
  readonly body?: unknown;
  readonly serializedBody?: ArrayBuffer | ArrayBufferView;
  readonly attempts: number;
}

/** What the handler of a queue decided. */
export interface QueueResult {
  readonly outcome: string;
  readonly ackAll: boolean;
  readonly retryBatch: { readonly retry: boolean; readonly delaySeconds?: number };
  readonly explicitAcks: readonly string[];
  readonly retryMessages: readonly { readonly msgId: string; readonly delaySeconds?: number }[];
}

/** A trace as a `tail` handler gets it. */
export type TailEvent = Record<string, unknown>;

/** What the default entrypoint of an isolate has with the compatibility flag `service_binding_extra_handlers`. */
export interface EventHandlers {
  scheduled(event: { scheduledTime: Date; cron: string }): Promise<{ outcome: string; noRetry: boolean }>;
  queue(queue: string, messages: readonly QueuedMessage[], metadata?: object): Promise<QueueResult>;
}

/** What `TailReceiver` in `isolate/tail.isolate.js` has. */
export interface TailHandler {
  receive(events: readonly TailEvent[]): Promise<void>;
}

/** The entrypoint for each kind of event that is not a request; `undefined` is the default one. */
const ENTRYPOINTS = { scheduled: undefined, queue: undefined, tail: NAMES.tailEntrypoint } as const;

/** The handlers for each kind of event. */
interface Handlers {
  readonly scheduled: EventHandlers;
  readonly queue: EventHandlers;
  readonly tail: TailHandler;
}

/** Records which version is live, and ends isolates that are not used any more. To be called with each event of a Worker. */
export function useLiveVersion(platform: Platform, address: ScriptAddress, live: LiveVersion | null): void {
  recordLiveVersion(address, live?.id ?? null);
  platform.waitUntil(endUnusedIsolates(platform));
}

/** The default entrypoint of a version: the router of its static assets if it has some, otherwise its script. */
export function defaultEntrypoint(platform: Platform, address: VersionAddress, hasAssets: boolean): Fetcher {
  const isolate = hasAssets ? assetRouter(platform, address) : scriptIsolate(platform, address);
  return isolate.getEntrypoint();
}

/** Sends a request to the live version of a script. Rejects with the exception of the Worker. */
export async function fetchLiveVersion(
  platform: Platform,
  { namespace, script }: ScriptAddress,
  live: LiveVersion,
  request: Request,
): Promise<Response> {
  const address = { namespace, script, version: live.id };
  const entrypoint = defaultEntrypoint(platform, address, live.hasAssets);
  return await recordedInvocation(platform, { kind: "request", ...address }, () => entrypoint.fetch(request));
}

/**
 * Calls handlers of the live version of a script:
 *
 *     await callHandlers(platform, "queue", accountAddress("consumer"), (worker) => worker.queue("jobs", messages));
 *
 * @throws Refusal when the script does not exist
 */
export async function callHandlers<K extends keyof Handlers, T>(
  platform: Platform,
  kind: K,
  { namespace, script }: ScriptAddress,
  call: (worker: Handlers[K]) => Promise<T>,
): Promise<T> {
  const live = await platform.store.liveVersion({ namespace, script });
  useLiveVersion(platform, { namespace, script }, live);
  if (live === null) throw scriptNotFound({ namespace, script });
  const address = { namespace, script, version: live.id };
  const worker = scriptIsolate(platform, address).getEntrypoint(ENTRYPOINTS[kind]) as unknown as Handlers[K];
  return await recordedInvocation(platform, { kind, ...address }, () => call(worker));
}
