import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { objectNamespaceModule } from "../../src/isolate/object-namespace-module.ts";

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

/** The namespace as the isolate of a user Worker gets it, over an `env` of this test's own. */
async function namespace(): Promise<ObjectNamespace> {
  const env: Record<string, unknown> = { ROOM: {} };
  (globalThis as Record<string, unknown>)["objectIdsTestEnv"] = env;
  const source = objectNamespaceModule(["ROOM"]).replace(
    'import { env } from "cloudflare:workers";',
    "const env = globalThis.objectIdsTestEnv;",
  );
  await import(`data:text/javascript,${encodeURIComponent(source)}#${Math.random()}`);
  return env["ROOM"] as ObjectNamespace;
}

test("an id from a name is the SHA-256 of the name, whatever its length", async () => {
  const rooms = await namespace();
  for (const name of ["", "a", "lobby", "ünïcödé", ...Array.from({ length: 130 }, (_, length) => "x".repeat(length))]) {
    assert.equal(String(rooms.idFromName(name)), createHash("sha256").update(name).digest("hex"), name);
  }
});

test("ids compare by value, and only real ones are taken", async () => {
  const rooms = await namespace();
  const lobby = rooms.idFromName("lobby");
  assert.equal(lobby.name, "lobby");
  assert.ok(rooms.idFromString(String(lobby)).equals(lobby));
  assert.ok(!rooms.newUniqueId().equals(rooms.newUniqueId()));
  assert.match(String(rooms.newUniqueId()), /^[0-9a-f]{64}$/);
  assert.throws(() => rooms.idFromString("lobby"), TypeError);
  assert.throws(() => rooms.get("lobby"), TypeError);
});
