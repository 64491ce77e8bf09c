import type { Platform } from "../platform.ts";
import type { ScriptAddress, VersionAddress } from "../script.ts";
import { NAMES } from "./names.ts";

/** The memory of an isolate with a small script after some requests, in bytes: measured on the pinned runtime. */
const ISOLATE_BYTES = 3.4e6;
/** How many bytes of memory each byte of a module takes: its text, its compiled code and what it allocates at start-up. */
const BYTES_PER_MODULE_BYTE = 3;
/** Above this estimate of their memory, isolates are ended, the least recently used first. In bytes. */
const MAX_BYTES = 600e6;
/** How often, at most, requests look for isolates to end. In milliseconds. */
const CHECK_INTERVAL_MS = 500;

/** What the isolate of a version does: run the script, serve its static assets, or decide between the two. */
export type IsolateKind = "script" | "assets" | "router";

/** What an isolate is started from. */
export interface IsolateCode {
  readonly code: WorkerLoaderWorkerCode;
  /** The size of the modules, in bytes. */
  readonly moduleBytes: number;
}

interface PooledIsolate {
  /** The name under which the Worker Loader knows it. No other isolate of this process had it: the runtime refuses a second one. */
  readonly name: string;
  readonly kind: IsolateKind;
  readonly address: VersionAddress;
  /** The estimate of its memory, in bytes. */
  bytes: number;
}

/** The isolates that requests get, by kind and version, the least recently used first. This Worker has one instance. */
const isolates = new Map<string, PooledIsolate>();
/** Isolates that no new request gets, and that have not ended yet. */
const retired = new Set<PooledIsolate>();
/** The live version of each script that was used since the start; `null` if the script was deleted. */
const liveVersions = new Map<string, string | null>();
let started = 0;
let checkedAt = 0;

/** Records which version of a script is live: `null` if there is none. Isolates of other versions are ended. */
export function recordLiveVersion(address: ScriptAddress, version: string | null): void {
  liveVersions.set(scriptKey(address), version);
}

/** The live version of a script that {@link recordLiveVersion} recorded; `undefined` if it recorded none since the start. */
export function liveVersion(address: ScriptAddress): string | null | undefined {
  return liveVersions.get(scriptKey(address));
}

/** Has the live version of a script recorded, unless it is, so that {@link liveVersion} knows it. */
export async function knowLiveVersion({ store }: Platform, address: ScriptAddress): Promise<void> {
  if (liveVersion(address) !== undefined) return;
  const live = await store.liveVersion(address);
  // A deploy may have recorded a newer one meanwhile.
  if (liveVersion(address) === undefined) recordLiveVersion(address, live?.id ?? null);
}

/**
 * The isolate of that kind of a version. `start` is called if none runs. It runs until {@link endUnusedIsolates} ends it, which does
 * not end the requests that it is serving.
 */
export function pooledIsolate(
  { environment }: Platform,
  kind: IsolateKind,
  address: VersionAddress,
  start: () => Promise<IsolateCode>,
): WorkerStub {
  const key = `${kind}/${scriptKey(address)}/${address.version}`;
  const isolate = isolates.get(key) ?? newIsolate(key, kind, address);
  // The order of the map is that of the last use.
  isolates.delete(key);
  isolates.set(key, isolate);
  return environment.LOADER.get(isolate.name, async () => {
    try {
      const { code, moduleBytes } = await start();
      isolate.bytes += moduleBytes * BYTES_PER_MODULE_BYTE;
      return code;
    } catch (cause) {
      // The loader keeps the failure under this name, so the next request uses another name.
      if (isolates.get(key) === isolate) isolates.delete(key);
      throw cause;
    }
  });
}

/**
 * Ends the isolates of versions that are not live any more, and the least recently used ones if all take too much memory. The Worker
 * Loader itself never ends an isolate. An isolate with running work refuses, and is asked again by a later call. Does nothing within
 * `intervalMs` milliseconds after the last time.
 */
export async function endUnusedIsolates(platform: Platform, intervalMs = CHECK_INTERVAL_MS): Promise<void> {
  const now = Date.now();
  if (now - checkedAt < intervalMs) return;
  checkedAt = now;
  let excess = -MAX_BYTES;
  for (const isolate of isolates.values()) excess += isolate.bytes;
  for (const [key, isolate] of isolates) {
    const live = liveVersion(isolate.address);
    const replaced = live !== undefined && live !== isolate.address.version;
    if (!replaced && excess <= 0) continue;
    isolates.delete(key);
    retired.add(isolate);
    excess -= isolate.bytes;
  }
  await Promise.all([...retired].map((isolate) => end(platform, isolate)));
}

/** An isolate as {@link listIsolates} shows it. */
export interface ListedIsolate extends VersionAddress {
  readonly kind: IsolateKind;
  /** Whether requests get it. If not, it ends with its last request and its last `waitUntil` work. */
  readonly used: boolean;
}

/** The isolates of user Workers, the least recently used first. Requests can still run in isolates that are not listed. */
export function listIsolates(): ListedIsolate[] {
  const listed = (used: boolean) => (isolate: PooledIsolate) => ({ ...isolate.address, kind: isolate.kind, used });
  return [...[...retired].map(listed(false)), ...[...isolates.values()].map(listed(true))];
}

function newIsolate(key: string, kind: IsolateKind, address: VersionAddress): PooledIsolate {
  started += 1;
  return { name: `${key}/${started}`, kind, address, bytes: ISOLATE_BYTES };
}

async function end({ environment }: Platform, isolate: PooledIsolate): Promise<void> {
  const stub = environment.LOADER.get(isolate.name, () => Promise.reject(new Error("the isolate has ended")));
  const entrypoint = stub.getEntrypoint(NAMES.endEntrypoint) as unknown as { end(): Promise<boolean> };
  // An isolate that did not start, or whose script ended it, is not there.
  const ended = await entrypoint.end().catch(() => true);
  if (ended) retired.delete(isolate);
}

function scriptKey({ namespace, script }: ScriptAddress): string {
  return `${namespace}/${script}`;
}
