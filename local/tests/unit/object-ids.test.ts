import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

interface ObjectId {
  readonly name?: string;
  equals(other: unknown): boolean;
}

interface ObjectNamespace {
  idFromName(name: string): ObjectId;
  idFromString(text: string): ObjectId;
  newUniqueId(): ObjectId;
  get(id: unknown): unknown;
}

// The file is a text for the platform. With the query it is a module.
const file = "../../src/bindings/durable-objects/namespace.isolate.js?module";
const module: unknown = await import(file);

/** The namespace as a user Worker gets it. */
function namespace(): ObjectNamespace {
  const { default: objectNamespace } = module as { default: (host: object) => ObjectNamespace };
  return objectNamespace({});
}

test("an id from a name is the SHA-256 of the name, whatever its length", async () => {
  const rooms = namespace();
  for (const name of ["", "a", "lobby", "ünïcödé", ...Array.from({ length: 130 }, (_, length) => "x".repeat(length))]) {
    assert.equal(String(rooms.idFromName(name)), createHash("sha256").update(name).digest("hex"), name);
  }
});

test("ids compare by value, and only real ones are taken", async () => {
  const rooms = namespace();
  const lobby = rooms.idFromName("lobby");
  assert.equal(lobby.name, "lobby");
  assert.ok(rooms.idFromString(String(lobby)).equals(lobby));
  assert.ok(!rooms.newUniqueId().equals(rooms.newUniqueId()));
  assert.match(String(rooms.newUniqueId()), /^[0-9a-f]{64}$/);
  assert.throws(() => rooms.idFromString("lobby"), TypeError);
  assert.throws(() => rooms.get("lobby"), TypeError);
});
