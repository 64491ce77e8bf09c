import assert from "node:assert/strict";
import { test } from "node:test";
import { readMetadata } from "../../src/deploy/metadata.ts";
import { checkModules, checkSize } from "../../src/deploy/modules.ts";
import { checkScriptName } from "../../src/script.ts";
import { readTags, readTagFilter } from "../../src/deploy/tags.ts";
import { utf8 } from "../../src/encoding.ts";
import { refused } from "./refused.ts";

const bytes = utf8("export default {}");

test("metadata as wrangler sends it", () => {
  const metadata = readMetadata({
    main_module: "index.js",
    bindings: [{ type: "plain_text", name: "A", text: "1" }],
    compatibility_date: "2026-01-01",
    compatibility_flags: ["nodejs_compat"],
    keep_bindings: ["secret_text"],
    annotations: { "workers/message": "first", number: 1 },
    observability: { enabled: true },
    tags: ["a", "a"],
    surprise: true,
  });
  assert.deepEqual(metadata.main, { format: "modules", module: "index.js" });
  assert.deepEqual(metadata.keepBindings, ["secret_text"]);
  assert.deepEqual(metadata.annotations, { "workers/message": "first" });
  assert.deepEqual(metadata.settings, { observability: { enabled: true } });
  assert.deepEqual(metadata.tags, ["a"]);
});

test("what is left away has the platform's default", () => {
  const metadata = readMetadata({ body_part: "script" });
  assert.deepEqual(metadata.main, { format: "service-worker", module: "script" });
  assert.equal(metadata.compatibilityDate, "2021-11-02");
  assert.equal(metadata.tags, null);
  assert.equal(metadata.assets, null);
});

test("malformed metadata is refused, naming the key", async () => {
  await refused(10021, /both/, () => readMetadata({ main_module: "a", body_part: "b" }));
  await refused(10026, /compatibility_date/, () => readMetadata({ main_module: "a", compatibility_date: 1 }));
  await refused(10026, /compatibility_flags/, () => readMetadata({ main_module: "a", compatibility_flags: "x" }));
  await refused(10057, /`bindings` must be a list/, () => readMetadata({ main_module: "a", bindings: { A: 1 } }));
  await refused(10901, /containers/, () => readMetadata({ main_module: "a", containers: [{ name: "c" }] }));
});

test("modules must be there and of a kind that runs", async () => {
  const main = { format: "modules", module: "a.js" } as const;
  const module = { name: "a.js", contentType: "application/javascript+module", bytes };
  checkModules(main, [module], []);
  await refused(10021, /"a.js" as the main module/, () => checkModules(main, [], []));
  await refused(10021, /application\/javascript\+module/, () =>
    checkModules(main, [{ ...module, contentType: "text/plain" }], []),
  );
  await refused(10021, /image\/png/, () =>
    checkModules(main, [module, { ...module, name: "b", contentType: "image/png" }], []),
  );
  await refused(10901, /Python/, () =>
    checkModules(main, [module, { ...module, name: "b.py", contentType: "text/x-python" }], []),
  );
  await refused(10057, /service-worker format/, () =>
    checkModules(main, [module], [{ type: "wasm_module", name: "W", part: "w" }]),
  );
});

test("a script of more than 10 MiB after compression is refused, one that compresses well is not", async () => {
  const noise = new Uint8Array(11 * 1024 * 1024);
  for (let at = 0; at < noise.length; at += 65536) crypto.getRandomValues(noise.subarray(at, at + 65536));
  const module = (contentType: string, content: ArrayBuffer) => ({ name: "a", contentType, bytes: content });
  await refused(10027, /after compression/, () => checkSize([module("application/octet-stream", noise.buffer)]));
  await checkSize([module("application/octet-stream", new ArrayBuffer(11 * 1024 * 1024))]);
  await checkSize([module("application/source-map", noise.buffer)]);
  await refused(10027, /67108865 bytes;/, () =>
    checkSize([module("application/octet-stream", new ArrayBuffer(64 * 1024 * 1024 + 1))]),
  );
});

test("script names", async () => {
  for (const name of ["a", "agents", "_x", "a-b_c", "a".repeat(63)]) checkScriptName(name);
  for (const name of ["", "A", "-a", "a.b", "a/b", "ä", "a".repeat(64)])
    await refused(10016, /not a script name/, () => checkScriptName(name));
});

test("tags", async () => {
  assert.deepEqual(readTags(undefined), []);
  await refused(10076, /at most 8/, () => readTags(["1", "2", "3", "4", "5", "6", "7", "8", "9"]));
  await refused(10076, /not a tag/, () => readTags(["a,b"]));
  await refused(10076, /list of strings/, () => readTags("a"));
});

test("tag filters", async () => {
  assert.equal(readTagFilter("a:yes,b:no")(["a"]), true);
  assert.equal(readTagFilter("a:yes,b:no")(["a", "b"]), false);
  assert.equal(readTagFilter("a:yes")([]), false);
  assert.equal(readTagFilter("x:y:yes")(["x:y"]), true);
  assert.equal(readTagFilter(null)([]), true);
  await refused(10076, /"a"/, () => readTagFilter("a"));
});
