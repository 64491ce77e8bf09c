import type { Binding } from "../deploy/binding.ts";
import { OWN_MODULE_PREFIX } from "../deploy/module.ts";

const PARTS = `${OWN_MODULE_PREFIX}parts.js`;
const GLOBALS = `${OWN_MODULE_PREFIX}globals.js`;

/**
 * The modules that run a script in the older service-worker format, which the Worker Loader does not start itself: its
 * bindings become globals, its `addEventListener("fetch", …)` becomes the `fetch` handler of an ES module. `setup`
 * names the modules that must be evaluated first. The script itself is loaded as CommonJS, which runs it as sloppy code like a classic script.
 */
export function serviceWorkerModules(
  main: string,
  script: string,
  bindings: readonly Binding[],
  setup: readonly string[],
): Record<string, WorkerLoaderModule> {
  const parts = bindings.flatMap((binding) => ("part" in binding ? [binding] : []));
  const imports = parts.map(({ part }, index) => `import part${index} from ${JSON.stringify(`./${part}`)};`);
  const entries = parts.map(({ name }, index) => `${JSON.stringify(name)}: part${index}`);
  return {
    [PARTS]: { js: `${imports.join("\n")}\nexport default { ${entries.join(", ")} };\n` },
    [GLOBALS]: {
      js: `
${setup.map((module) => `import "./${module}";`).join("\n")}
import { env } from "cloudflare:workers";
import parts from "./${PARTS}";
export const listeners = [];
Object.assign(globalThis, env, parts);
globalThis.addEventListener = (type, listener) => { if (type === "fetch") listeners.push(listener); };
`,
    },
    [main]: {
      js: `
import { listeners } from "./${GLOBALS}";
import ${JSON.stringify(`./${script}`)};
class FetchEvent extends Event {
  #context;
  answer;
  constructor(request, context) { super("fetch"); this.request = request; this.#context = context; }
  respondWith(answer) { this.answer ??= Promise.resolve(answer); }
  waitUntil(work) { this.#context.waitUntil(work); }
  passThroughOnException() { this.#context.passThroughOnException(); }
}
async function fetch(request, _env, context) {
  const event = new FetchEvent(request, context);
  for (const listener of listeners) {
    if (typeof listener === "function") await listener(event); else await listener.handleEvent(event);
    if (event.answer) return event.answer;
  }
  throw new Error("No fetch listener answered with respondWith().");
}
export default listeners.length > 0 ? { fetch } : {};
`,
    },
  };
}
