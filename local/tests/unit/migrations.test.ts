import assert from "node:assert/strict";
import { test } from "node:test";
import { applyDeclaredClasses, applyMigrations } from "../../src/deploy/migrations.ts";
import { refused } from "./refused.ts";

const NOTHING = { tag: null, classes: {} };
const ROOM = { tag: "v1", classes: { Room: "storage-of-room" } };

test("without migrations nothing changes", () => {
  assert.deepEqual(applyMigrations(ROOM, undefined), ROOM);
});

test("new classes get a storage of their own, and the tag is recorded", () => {
  const after = applyMigrations(NOTHING, {
    new_tag: "v2",
    steps: [{ new_sqlite_classes: ["A"] }, { new_classes: ["B"] }],
  });
  assert.equal(after.tag, "v2");
  assert.deepEqual(Object.keys(after.classes), ["A", "B"]);
  assert.notEqual(after.classes["A"], after.classes["B"]);
});

test("a single step without `steps` is one, too", () => {
  assert.deepEqual(Object.keys(applyMigrations(NOTHING, { new_tag: "v1", new_sqlite_classes: ["A"] }).classes), ["A"]);
});

test("a renamed class keeps its storage, a deleted one loses it", () => {
  const renamed = applyMigrations(ROOM, {
    old_tag: "v1",
    new_tag: "v2",
    steps: [{ renamed_classes: [{ from: "Room", to: "Hall" }] }],
  });
  assert.deepEqual(renamed, { tag: "v2", classes: { Hall: "storage-of-room" } });
  const deleted = applyMigrations(renamed, { old_tag: "v2", new_tag: "v3", steps: [{ deleted_classes: ["Hall"] }] });
  assert.deepEqual(deleted, { tag: "v3", classes: {} });
});

test("migrations that start from another tag are refused", async () => {
  await refused(10079, /"v0".*"v1"/, () => applyMigrations(ROOM, { old_tag: "v0", new_tag: "v2", steps: [] }));
  await refused(10079, /\(none\).*"v1"/, () => applyMigrations(ROOM, { new_tag: "v2", steps: [] }));
  await refused(10079, /"v1".*\(none\)/, () => applyMigrations(NOTHING, { old_tag: "v1", new_tag: "v2", steps: [] }));
});

test("steps that cannot be applied are refused", async () => {
  const step = (migration: unknown) => () =>
    applyMigrations(ROOM, { old_tag: "v1", new_tag: "v2", steps: [migration] });
  await refused(10074, /'Room' that is already depended on/, step({ new_sqlite_classes: ["Room"] }));
  await refused(10074, /rename class 'Gone'/, step({ renamed_classes: [{ from: "Gone", to: "Here" }] }));
  await refused(10074, /delete class 'Gone'/, step({ deleted_classes: ["Gone"] }));
  await refused(10074, /list of class names/, step({ new_classes: "Room" }));
  await refused(10901, /transferred/, step({ transferred_classes: [{ from: "A", from_script: "other", to: "B" }] }));
});

test("declared classes come, are renamed and go, and declaring one again changes nothing", () => {
  const declared = applyDeclaredClasses(ROOM, {
    Room: { type: "durable-object" },
    New: { type: "durable-object", state: "created" },
    W: { type: "worker" },
  });
  assert.deepEqual(Object.keys(declared.classes), ["Room", "New"]);
  assert.equal(declared.classes["Room"], "storage-of-room");
  const renamed = applyDeclaredClasses(ROOM, {
    Hall: { type: "durable-object" },
    Room: { type: "durable-object", state: "renamed", renamed_to: "Hall" },
  });
  assert.deepEqual(renamed.classes, { Hall: "storage-of-room" });
  assert.deepEqual(applyDeclaredClasses(ROOM, { Room: { type: "durable-object", state: "deleted" } }).classes, {});
});
