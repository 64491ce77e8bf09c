// The classes of a script as the runtime gets them. The script itself keeps its own: a library can find its methods again by their identity.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import { countedInstance } from "./__local_platform__depth.js";
import { counted } from "./__local_platform__invocations.js";
import { objectClass, replaceExports } from "./__local_platform__objects.js";

/** The class that the runtime gets in place of an exported one. `isObject` is true for the classes of migrations. */
export function servedClass(exported, isObject) {
  if (isObject || exported.prototype instanceof DurableObject) return served(objectClass(exported), exported);
  if (exported.prototype instanceof WorkerEntrypoint) return served(counted(exported, replaceExports), exported);
  return exported;
}

/** What the runtime gets in place of the default export. */
export function servedDefault(exported) {
  const replaced = counted(exported, replaceExports);
  return typeof exported === "function" ? served(replaced, exported) : replaced;
}

/** A class with the name of the exported one, whose instances count their calls. */
function served(replaced, { name }) {
  const result = class extends replaced {
    constructor(context, env) {
      super(context, env);
      return countedInstance(this);
    }
  };
  Object.defineProperty(result, "name", { value: name, configurable: true });
  return result;
}
