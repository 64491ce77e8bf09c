import { withAccountClasses } from "../bindings/durable-objects/account-classes.ts";
import { checkServices } from "../bindings/service/targets.ts";
import { checkDispatchNamespaces } from "../bindings/dispatch-namespace/namespaces.ts";
import { checkQueues } from "../bindings/queues/directory.ts";
import { NotPermitted, recordedInvocation } from "../invocations.ts";
import { startOnce } from "../isolate/isolates.ts";
import type { StartedScript } from "../isolate/worker-code.ts";
import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import type { ScriptAddress, ScriptVersion } from "../script.ts";
import { checkTailConsumers } from "../tail-consumers.ts";
import type { UploadedModule } from "./modules.ts";

/** The result of starting a version. */
export interface CheckedStart {
  /** The version, with a date that the runtime knows and with the classes that it exports. */
  readonly version: ScriptVersion;
  /** The duration of the start, in milliseconds. */
  readonly startupMs: number;
  /** The handlers of its default export. */
  readonly handlers: readonly string[];
}

/** Starts a version once. Refuses it with the text of its error if it does not start. */
export async function checkStart(
  platform: Platform,
  address: ScriptAddress,
  uploaded: ScriptVersion,
  modules: readonly UploadedModule[],
): Promise<CheckedStart> {
  const version = await withAccountClasses(platform, address, uploaded);
  checkBindings(version);
  await checkServices(platform, address, version);
  await checkDispatchNamespaces(platform, version.bindings);
  await checkQueues(platform, version.bindings);
  await checkTailConsumers(platform, version.settings);
  if (version.main === null) return { version, startupMs: 0, handlers: [] };
  const before = Date.now();
  try {
    const { main, etag } = version;
    const started = await recordedInvocation(platform, { kind: "start-check", ...address, version: etag }, () =>
      startOnce(platform, address, version, main, modules),
    );
    checkExports(version, started);
    const exportedClasses = started.classes.filter((name) => name !== "default");
    return { version: { ...version, exportedClasses, handlers: started.handlers }, startupMs: Date.now() - before, handlers: started.handlers };
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    if (cause instanceof NotPermitted) {
      throw new Refusal(
        "SCRIPT_INVALID",
        "Script startup exceeded CPU time limit. The code outside of the handlers does not end, or takes more than a few seconds: " +
          "move it into a handler, or shorten it, then deploy again.",
      );
    }
    const message = cause instanceof Error ? cause.message : String(cause);
    const runtimeDate = earlierRuntimeDate(version, message);
    if (runtimeDate !== null) return await checkStart(platform, address, { ...version, runtimeDate }, modules);
    throw new Refusal("SCRIPT_INVALID", message.replace(/^Failed to start Worker:\s*/, ""));
  }
}

/**
 * The newest date that the runtime knows, if it refuses the requested date only because that is newer.
 * The pinned runtime is a few weeks old, and people deploy with the date of today.
 */
function earlierRuntimeDate({ runtimeDate }: ScriptVersion, message: string): string | null {
  const [, newest] = /the newest date supported by this server binary is "(\d{4}-\d{2}-\d{2})"/.exec(message) ?? [];
  const today = new Date().toISOString().slice(0, 10);
  return newest !== undefined && newest < runtimeDate && runtimeDate <= today ? newest : null;
}

function checkBindings(version: ScriptVersion): void {
  for (const binding of version.bindings) {
    if (binding.type === "assets" && version.assets === null) {
      throw new Refusal(
        "BINDING_INVALID",
        `The binding ${binding.name} is for static assets, but none were uploaded. Upload them first, or leave the binding away.`,
      );
    }
    const isOwnClass = binding.type === "durable_object_namespace" && binding.script_name === undefined;
    if (isOwnClass && version.objectClasses[binding.class_name] === undefined) {
      throw new Refusal(
        "CLASS_NOT_CONFIGURED",
        `Cannot create binding for class '${binding.class_name}' because it is not currently configured to implement Durable ` +
          "Objects. Did you forget to apply a 'new_sqlite_classes' migration to it in 'migrations'?",
      );
    }
  }
}

function checkExports(version: ScriptVersion, started: StartedScript): void {
  if (!started.callable) {
    throw new Refusal(
      "NO_EVENT_HANDLERS",
      "The uploaded script has no registered event handlers. Export a `fetch` handler by default.",
    );
  }
  for (const name of Object.keys(version.objectClasses)) {
    if (started.classes.includes(name)) continue;
    throw new Refusal(
      "CLASS_NOT_CONFIGURED",
      `The script does not export the class '${name}', on which existing Durable Objects depend. Export it, or delete it with a 'deleted_classes' migration.`,
    );
  }
}
