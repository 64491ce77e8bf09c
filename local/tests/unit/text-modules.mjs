// Loads `*.isolate.js` as texts, as wrangler does by the rule of `local/wrangler.jsonc`. With `?module` a test gets the module itself.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

registerHooks({
  resolve(specifier, context, nextResolve) {
    // The module that `worker-code.ts` generates from `names.ts`.
    if (!specifier.endsWith("/__local_platform__names.js")) return nextResolve(specifier, context);
    return { url: "names:", shortCircuit: true };
  },
  load(url, context, nextLoad) {
    if (url === "names:") {
      const from = new URL("../../src/isolate/names.ts", import.meta.url).href;
      return { format: "module", source: `export { NAMES as default } from ${JSON.stringify(from)};`, shortCircuit: true };
    }
    if (!url.endsWith(".isolate.js")) return nextLoad(url, context);
    const source = `export default ${JSON.stringify(readFileSync(fileURLToPath(url), "utf8"))};`;
    return { format: "module", source, shortCircuit: true };
  },
});
