import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../../src/encoding.ts";
import type { ScriptVersion } from "../../src/script.ts";
import { AssetUploads } from "../../src/store/asset-uploads.ts";
import { Contents } from "../../src/store/contents.ts";
import { DispatchLog } from "../../src/store/dispatch-log.ts";
import { Scripts } from "../../src/store/scripts.ts";
import { openStore } from "./sqlite.ts";

const HELLO = { namespace: "dotdo-production", script: "hello" };
const MINUTE = 60_000;

function version(id: string, digests: readonly string[] = [], manifest: string | null = null): ScriptVersion {
  return {
    id,
    etag: id,
    uploadedOn: "2026-01-01T00:00:00Z",
    main: { format: "modules", module: "index.js" },
    modules: digests.map((digest) => ({ name: digest, contentType: "text/plain", digest, size: 1 })),
    bindings: [],
    compatibilityDate: "2026-01-01",
    runtimeDate: "2026-01-01",
    compatibilityFlags: [],
    migrationTag: null,
    objectClasses: {},
    tags: [],
    assets: manifest === null ? null : { manifest, configuration: { scriptFirst: false } },
    annotations: {},
    settings: {},
  };
}

function keep(contents: Contents, digest: string, now: number): void {
  contents.keepChunk({ digest, position: 0, bytes: utf8("x"), size: 1 }, now);
}

test("a change names the revision it was made from, and is refused when another came first", () => {
  const scripts = new Scripts(openStore());
  const now = new Date();
  assert.equal(scripts.change({ ...HELLO, from: null, to: version("1") }, now), true);
  const { revision } = scripts.get(HELLO) ?? assert.fail();
  assert.equal(scripts.change({ ...HELLO, from: null, to: version("2") }, now), false, "made when there was no script");
  assert.equal(scripts.change({ ...HELLO, from: revision, to: version("2") }, now), true);
  assert.equal(
    scripts.change({ ...HELLO, from: revision, to: version("3") }, now),
    false,
    "made from the first version",
  );
  assert.equal(scripts.get(HELLO)?.version.id, "2");
});

test("a change from before a script was deleted is refused, although one of that name is there again", () => {
  const scripts = new Scripts(openStore());
  const now = new Date();
  scripts.change({ ...HELLO, from: null, to: version("1") }, now);
  const { revision } = scripts.get(HELLO) ?? assert.fail();
  assert.equal(scripts.remove(HELLO, now), true);
  assert.equal(scripts.remove(HELLO, now), false);
  scripts.change({ ...HELLO, from: null, to: version("2") }, now);
  assert.equal(scripts.change({ ...HELLO, from: revision, to: version("3") }, now), false);
});

test("a version that was replaced can be started for some minutes more", () => {
  const scripts = new Scripts(openStore());
  const begin = new Date();
  scripts.change({ ...HELLO, from: null, to: version("1") }, begin);
  scripts.change({ ...HELLO, from: scripts.get(HELLO)?.revision ?? null, to: version("2") }, begin);
  scripts.removeLeft(new Date(begin.getTime() + 9 * MINUTE));
  assert.equal(scripts.version("1")?.id, "1");
  scripts.removeLeft(new Date(begin.getTime() + 11 * MINUTE));
  assert.equal(scripts.version("1"), null);
  assert.equal(scripts.version("2")?.id, "2");
});

test("scripts are listed by name, each namespace for itself", () => {
  const scripts = new Scripts(openStore());
  for (const script of ["b", "a", "c"])
    scripts.change({ ...HELLO, script, from: null, to: version(script) }, new Date());
  scripts.change({ namespace: "dotdo-staging", script: "z", from: null, to: version("z") }, new Date());
  assert.deepEqual(
    scripts.list(HELLO.namespace, "").map(({ script }) => script),
    ["a", "b", "c"],
  );
  assert.deepEqual(
    scripts.list(HELLO.namespace, "a").map(({ script }) => script),
    ["b", "c"],
  );
  assert.equal(scripts.count(HELLO.namespace), 3);
  assert.deepEqual(scripts.live({ ...HELLO, script: "a" }), { id: "a", hasAssets: false });
  assert.equal(scripts.live({ ...HELLO, script: "z" }), null);
});

test("bytes are there only when the last of them is", () => {
  const contents = new Contents(openStore());
  const keepPart = (position: number, text: string, size: number | null) =>
    contents.keepChunk({ digest: "d", position, bytes: utf8(text), size }, 0);
  keepPart(0, "first", null);
  assert.throws(() => keepPart(2, "third", 16), /10 of 16 bytes/);
  assert.deepEqual(contents.missing(["d"], 0), ["d"]);
  assert.equal(contents.chunks("d", 0, 8), null);
  keepPart(1, "second", null);
  keepPart(2, "third", 16);
  assert.deepEqual(contents.missing(["d", "other"], 0), ["other"]);
  const text = (chunks: ArrayBuffer[] | null) => chunks?.map((chunk) => new TextDecoder().decode(chunk));
  assert.deepEqual(text(contents.chunks("d", 0, 2)), ["first", "second"]);
  assert.deepEqual(text(contents.chunks("d", 2, 2)), ["third"]);
});

test("only bytes that nothing refers to are removed, and those only after an hour", () => {
  const sql = openStore();
  const [contents, scripts, assets] = [new Contents(sql), new Scripts(sql), new AssetUploads(sql)];
  const digests = ["module", "manifest", "asset", "session", "unused"];
  for (const digest of digests) keep(contents, digest, 0);
  scripts.change({ ...HELLO, from: null, to: version("1", ["module"], "manifest") }, new Date(0));
  assets.keep(HELLO, { hash: "h", digest: "asset", contentType: null });
  assets.open({ ...HELLO, id: "s", manifest: "session", expiresAt: 1000 * MINUTE }, 0);
  contents.removeUnused(59 * MINUTE);
  assert.deepEqual(
    digests.filter((digest) => contents.chunks(digest, 0, 1) === null),
    [],
  );
  contents.removeUnused(61 * MINUTE);
  assert.deepEqual(
    digests.filter((digest) => contents.chunks(digest, 0, 1) === null),
    ["unused"],
  );
});

test("a deploy that is about to refer to bytes keeps them", () => {
  const contents = new Contents(openStore());
  keep(contents, "d", 0);
  assert.deepEqual(contents.missing(["d"], 60 * MINUTE), []);
  contents.removeUnused(61 * MINUTE);
  assert.notEqual(contents.chunks("d", 0, 1), null);
});

test("chunks of bytes that were never completed are removed", () => {
  const sql = openStore();
  const contents = new Contents(sql);
  keep(contents, "whole", 0);
  contents.keepChunk({ digest: "half", position: 0, bytes: utf8("x"), size: null }, 0);
  contents.removeLooseChunks();
  assert.deepEqual(
    sql
      .exec("SELECT digest FROM chunks")
      .toArray()
      .map((row) => row["digest"]),
    ["whole"],
  );
});

test("a file that is there stays what it is, and goes with its script", () => {
  const sql = openStore();
  const [scripts, assets] = [new Scripts(sql), new AssetUploads(sql)];
  scripts.change({ ...HELLO, from: null, to: version("1") }, new Date());
  assets.keep(HELLO, { hash: "h", digest: "first", contentType: "text/plain" });
  assets.keep(HELLO, { hash: "h", digest: "second", contentType: null });
  assert.deepEqual(assets.find(HELLO, "h"), { hash: "h", digest: "first", contentType: "text/plain" });
  assert.deepEqual(assets.missing({ ...HELLO, script: "other" }, ["h"]), ["h"]);
  const many = Array.from({ length: 25_000 }, (_, number) => String(number));
  assert.deepEqual(assets.missing(HELLO, [...many, "h"]), many);
  scripts.remove(HELLO, new Date());
  assert.deepEqual(assets.missing(HELLO, ["h"]), ["h"]);
});

test("an upload is forgotten when its time is over", () => {
  const assets = new AssetUploads(openStore());
  assets.open({ ...HELLO, id: "s", manifest: "m", expiresAt: 10 }, 0);
  assert.equal(assets.session("s", 10)?.manifest, "m");
  assert.equal(assets.session("s", 11), null);
});

test("the last thousand dispatches are remembered, the newest first", () => {
  const log = new DispatchLog();
  const dispatch = (at: number) => ({
    ...HELLO,
    at: String(at),
    args: {},
    limits: null,
    outbound: null,
    version: null,
  });
  for (let at = 0; at < 2500; at += 1) log.add(dispatch(at));
  const newest = log.newest();
  assert.equal(newest.length, 1000);
  assert.deepEqual([newest[0]?.at, newest[999]?.at], ["2499", "1500"]);
  log.clear();
  assert.deepEqual(log.newest(), []);
});
