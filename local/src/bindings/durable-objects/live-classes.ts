import { liveVersion, recordLiveVersion } from "../../isolate/isolate-pool.ts";
import type { Platform } from "../../platform.ts";
import type { ScriptAddress, VersionAddress } from "../../script.ts";

/** A class of the live version of a script. */
export interface LiveClass extends VersionAddress {
  readonly className: string;
}

/** The script of each storage that was used since the start. A storage never changes its script. */
const scripts = new Map<string, ScriptAddress>();
/** The class that was live when it was read. */
const classes = new Map<string, LiveClass>();

/** Records to which script the storage of a class belongs. */
export function recordStorage(storage: string, { namespace, script }: ScriptAddress): void {
  if (!scripts.has(storage)) scripts.set(storage, { namespace, script });
}

/** The live version of the script of a storage; `null` if the script was deleted, `undefined` if no request has read it yet. */
export function liveVersionOf(storage: string): string | null | undefined {
  const script = scripts.get(storage);
  return script && liveVersion(script);
}

/** The class of a storage in the live version of its script; `null` if there is none any more. */
export async function liveClass({ store }: Platform, storage: string): Promise<LiveClass | null> {
  const known = classes.get(storage);
  if (known && known.version === liveVersionOf(storage)) return known;
  const live = await store.objectClass(storage);
  if (live === null) {
    classes.delete(storage);
    return null;
  }
  recordStorage(storage, live);
  recordLiveVersion(live, live.version);
  classes.set(storage, live);
  return live;
}
