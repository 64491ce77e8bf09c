import { startOnce } from "../isolate/script-isolate.ts";
import type { StartedScript } from "../isolate/start-probe-module.ts";
import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import type { ScriptAddress, ScriptVersion } from "../script.ts";
import type { UploadedModule } from "./module.ts";

/** Starts a version once. Refuses it with its own error text when it does not start. Answers how long that took, in milliseconds. */
export async function checkStart(
  platform: Platform,
  address: ScriptAddress,
  version: ScriptVersion,
  modules: readonly UploadedModule[],
): Promise<number> {
  for (const binding of version.bindings) {
    if (binding.type === "assets" && version.assets === null) {
      throw new Refusal("BINDING_INVALID", `The binding ${binding.name} is for static assets, but none were uploaded. Upload them first, or leave the binding away.`);
    }
    if (binding.type === "durable_object_namespace" && version.objectClasses[binding.class_name] === undefined) {
      throw new Refusal(
        "CLASS_NOT_CONFIGURED",
        `Cannot create binding for class '${binding.class_name}' because it is not currently configured to implement Durable ` +
          "Objects. Did you forget to apply a 'new_sqlite_classes' migration to it in 'migrations'?",
      );
    }
  }
  if (version.main === null) return 0;
  const before = Date.now();
  let started: StartedScript;
  try {
    started = await startOnce(platform, address, version, version.main, modules);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal("SCRIPT_INVALID", message.replace(/^Failed to start Worker:\s*/, ""));
  }
  if (!started.callable) {
    throw new Refusal("NO_EVENT_HANDLERS", "The uploaded script has no registered event handlers. Export a `fetch` handler by default.");
  }
  for (const name of Object.keys(version.objectClasses)) {
    if (started.classes.includes(name)) continue;
    throw new Refusal(
      "CLASS_NOT_CONFIGURED",
      `The script does not export the class '${name}', on which existing Durable Objects depend. Export it, or delete it with a 'deleted_classes' migration.`,
    );
  }
  return Date.now() - before;
}
