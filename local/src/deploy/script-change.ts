import { recordLiveVersion } from "../isolate/isolate-pool.ts";
import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import { type ScriptAddress, type ScriptVersion, type StoredScript, scriptNotFound } from "../script.ts";

/** How often a change is tried if other changes are made first. */
const ATTEMPTS = 10;

/**
 * Changes a script: `next` creates the new version from the current one, which is `null` if there is no script. It is
 * called again if another change was made first, so changes at the same time have an order and none is lost. `message` is that of the
 * deployment of an account Worker.
 */
export async function changeScript(
  { store }: Platform,
  address: ScriptAddress,
  next: (current: StoredScript | null) => Promise<ScriptVersion>,
  message: string | null = null,
): Promise<ScriptVersion> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const current = await store.script(address);
    const to = await next(current);
    const outcome = await store.change({ ...address, from: current?.revision ?? null, to, message });
    if (outcome === "done") {
      recordLiveVersion(address, to.id);
      return to;
    }
  }
  throw new Refusal(
    "OVERTAKEN",
    `${address.script} was changed by others ${ATTEMPTS} times while this change was made. Nothing was changed by this one: try again.`,
  );
}

/** Changes an existing script. Refuses if it does not exist. */
export async function changeExisting(
  platform: Platform,
  { namespace, script }: ScriptAddress,
  next: (current: StoredScript) => Promise<ScriptVersion>,
  message: string | null = null,
): Promise<ScriptVersion> {
  const address = { namespace, script };
  return await changeScript(platform, address, async (current) => {
    if (current === null) throw scriptNotFound(address);
    return await next(current);
  }, message);
}
