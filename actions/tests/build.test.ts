import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { bundles } from "../build.ts";

test("the committed files are those that `npm run build:actions` writes, and import nothing but Node", async () => {
  for (const [path, text] of await bundles()) {
    const committed = readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
    assert.ok(committed === text, `actions/${path} is not up to date: run \`npm run build:actions\``);
    const imports = [...committed.matchAll(/\bfrom "([^"]+)"|\bimport\("([^"]+)"\)/g)].map(([, one, other]) => one ?? other);
    assert.ok(imports.every((name) => name?.startsWith("node:")), imports.join(", "));
  }
});
