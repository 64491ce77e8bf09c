/** Builds the actions: each entry becomes one file without imports of packages, which is committed, because GitHub runs it from the tag. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";
import ts from "typescript";

const ROOT = fileURLToPath(new URL(".", import.meta.url));

/** The entries of the actions; `login/src/main.ts` becomes `login/dist/main.mjs`. */
const ENTRIES = ["login/src/main.ts", "login/src/post.ts", "deploy/src/main.ts", "deploy/src/post.ts"];

/** What `deploy/src/platform.ts` declares: the names of the namespaces, and the release with the `dotdo` of the actions. */
function platform(): Record<string, string> {
  const text = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  // It has comments.
  const { config } = ts.parseConfigFileTextToJson("dotdo.jsonc", text("../dotdo.jsonc"));
  const namespaces = Object.entries<{ name: string }>(config.namespaces).map(([environment, { name }]) => [environment, name]);
  return {
    PLATFORM_NAMESPACES: JSON.stringify(Object.fromEntries(namespaces)),
    PLATFORM_VERSION: JSON.stringify(JSON.parse(text("../package.json")).version),
  };
}

const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** Bundles each entry, and returns the text of each output by its path in this folder. */
export async function bundles(): Promise<Map<string, string>> {
  const outputs = new Map<string, string>();
  for (const entry of ENTRIES) {
    const result = await build({
      absWorkingDir: ROOT,
      entryPoints: [entry],
      bundle: true,
      platform: "node",
      target: "node24",
      format: "esm",
      charset: "utf8",
      legalComments: "none",
      define: platform(),
      // Packages in the older module format require Node's modules.
      banner: entry === "deploy/src/main.ts" ? { js: REQUIRE } : {},
      write: false,
    });
    for (const file of result.outputFiles) outputs.set(entry.replace("/src/", "/dist/").replace(/\.ts$/, ".mjs"), file.text);
  }
  return outputs;
}

if (import.meta.main) {
  const { mkdirSync, writeFileSync } = await import("node:fs");
  const { dirname, join } = await import("node:path");
  for (const [path, text] of await bundles()) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
  }
}
