import type { Platform } from "../platform.ts";
import type { ScriptAddress, ScriptVersion } from "../script.ts";
import { CHANNELS } from "./worker-code.ts";

/**
 * The `env` of a version's isolate, with the far ends of what the platform's modules set up there. Modules that are
 * bindings are put in place by the isolate's own code.
 */
export function bindingValues(
  platform: Platform,
  address: ScriptAddress,
  version: ScriptVersion,
): Record<string, unknown> {
  const props = { ...address, version: version.id };
  const { namespace } = address;
  const env: Record<string, unknown> = {
    [CHANNELS.cache]: platform.entrypoints.UserCache({ props: { namespace } }),
    [CHANNELS.dispatchedFetch]: platform.entrypoints.DispatchedFetch({ props: {} }),
  };
  for (const binding of version.bindings) {
    switch (binding.type) {
      case "plain_text":
      case "secret_text":
        env[binding.name] = binding.text;
        break;
      case "json":
        env[binding.name] = binding.json;
        break;
      case "version_metadata":
        env[binding.name] = {
          id: version.id,
          tag: version.annotations["workers/tag"] ?? "",
          timestamp: version.uploadedOn,
        };
        break;
      case "assets":
        env[binding.name] = platform.entrypoints.Assets({ props });
        break;
      case "durable_object_namespace": {
        const storage = version.objectClasses[binding.class_name];
        if (storage === undefined) throw new Error(`the class ${binding.class_name} of ${binding.name} has no storage`);
        const objects = { ...props, className: binding.class_name, storage };
        env[binding.name] = platform.entrypoints.ObjectNamespace({ props: objects });
        break;
      }
      case "wasm_module":
      case "text_blob":
      case "data_blob":
        break;
    }
  }
  return env;
}
