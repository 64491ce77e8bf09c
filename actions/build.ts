/** Builds the actions: each entry becomes one file without imports of packages, which is committed, because GitHub runs it from the tag. */

import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL(".", import.meta.url));

/** The entries of the actions; `login/src/main.ts` becomes `login/dist/main.mjs`. */
const ENTRIES = ["login/src/main.ts", "login/src/post.ts"];

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
