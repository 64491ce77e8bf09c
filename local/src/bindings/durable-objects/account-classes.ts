import { knowLiveVersion } from "../../isolate/isolate-pool.ts";
import type { Platform } from "../../platform.ts";
import { Refusal } from "../../refusal.ts";
import { type ScriptAddress, type ScriptVersion, accountAddress } from "../../script.ts";
import type { Binding } from "../binding.ts";

/**
 * A version whose bindings to Durable Object classes of account Workers have the storage of the class. `script_name` names an account
 * Worker, also in a Worker of a dispatch namespace; with its own name, a Worker means its own class. Refuses a class that does not exist.
 */
export async function withAccountClasses(platform: Platform, address: ScriptAddress, version: ScriptVersion): Promise<ScriptVersion> {
  const bindings = await Promise.all(version.bindings.map((binding) => found(platform, address, version, binding)));
  return { ...version, bindings };
}

/** Records the live versions of the account Workers with these classes, so that their objects run the newest code. Deploys change them. */
export async function recordClassScripts(platform: Platform, { bindings }: ScriptVersion): Promise<void> {
  const scripts = bindings.flatMap((binding) => (binding.type === "durable_object_namespace" ? (binding.script_name ?? []) : []));
  await Promise.all(scripts.map((script) => knowLiveVersion(platform, accountAddress(script))));
}

async function found({ store }: Platform, address: ScriptAddress, version: ScriptVersion, binding: Binding): Promise<Binding> {
  if (binding.type !== "durable_object_namespace" || binding.script_name === undefined) return binding;
  const { type, name, class_name, script_name } = binding;
  if (script_name === address.script && version.objectClasses[class_name] !== undefined) return { type, name, class_name };
  const storage = (await store.script(accountAddress(script_name)))?.version.objectClasses[class_name];
  if (storage !== undefined) return { ...binding, namespace_id: storage };
  throw new Refusal(
    "CLASS_NOT_CONFIGURED",
    `Cannot create binding for class '${class_name}' in script '${script_name}' because it is not currently configured to implement Durable ` +
      "Objects. `script_name` names a Worker of the account: deploy that one first, or correct the names.",
  );
}
