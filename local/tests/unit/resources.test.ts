import assert from "node:assert/strict";
import { test } from "node:test";
import { boundStorage } from "../../src/bindings/storage.ts";
import { Resources } from "../../src/store/resources.ts";
import { openStore } from "./sqlite.ts";

const NOW = new Date("2026-01-01T00:00:00Z");

test("a resource has one id and one name among those of its kind", () => {
  const resources = new Resources(openStore());
  const created = resources.create({ kind: "kv", id: "1" }, "cache", NOW);
  assert.deepEqual(created, { kind: "kv", id: "1", name: "cache", createdOn: "2026-01-01T00:00:00.000Z" });
  assert.equal(resources.create({ kind: "kv", id: "2" }, "cache", NOW), null);
  assert.equal(resources.create({ kind: "kv", id: "1" }, "other", NOW), null);
  assert.notEqual(resources.create({ kind: "d1", id: "1" }, "cache", NOW), null);
  resources.ensure({ kind: "kv", id: "1" }, NOW);
  resources.ensure({ kind: "kv", id: "unknown" }, NOW);
  assert.deepEqual(resources.list("kv").map(({ name }) => name), ["cache", "unknown"]);
  assert.equal(resources.rename({ kind: "kv", id: "1" }, "unknown"), false);
  assert.equal(resources.rename({ kind: "kv", id: "none" }, "x"), false);
  assert.equal(resources.rename({ kind: "kv", id: "1" }, "renamed"), true);
  resources.remove({ kind: "kv", id: "unknown" });
  assert.deepEqual(resources.list("kv").map(({ name }) => name), ["renamed"]);
});

test("the storage of a version's bindings", () => {
  assert.deepEqual(
    boundStorage([
      { type: "plain_text", name: "A", text: "x" },
      { type: "kv_namespace", name: "KV", namespace_id: "k" },
      { type: "d1", name: "DB", id: "d" },
      { type: "r2_bucket", name: "R2", bucket_name: "photos", jurisdiction: "eu" },
    ]),
    [
      { kind: "kv", id: "k" },
      { kind: "d1", id: "d" },
      { kind: "r2", id: "eu.photos" },
    ],
  );
});
