import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Miniflare } from "miniflare";
import { deploy, scriptName, visit } from "./platform.ts";

// Each script runs some hundred operations on a binding and describes their results. It runs on the native binding of the pinned
// miniflare, and deployed to the platform.

const COMPATIBILITY_DATE = "2026-01-01";

/** The text of a module in `bindings/`. */
function source(name: string): string {
  return readFileSync(new URL(`bindings/${name}`, import.meta.url), "utf8");
}

/** The results of a script on miniflare's native binding. */
async function native(script: string, env: object): Promise<Record<string, unknown>> {
  const manifest = {
    mainModule: script,
    modules: Object.fromEntries(
      [script, "results.js"].map((name) => [name, { type: "esm", contents: source(name) }]),
    ),
  };
  const miniflare = new Miniflare({
    cf: false,
    workers: [{ config: { name: "compared", compatibilityDate: COMPATIBILITY_DATE, manifest, env } }],
  } as ConstructorParameters<typeof Miniflare>[0]);
  try {
    const response = await miniflare.dispatchFetch("http://localhost/");
    return (await response.json()) as Record<string, unknown>;
  } finally {
    await miniflare.dispose();
  }
}

/** The results of a script on the platform. */
async function deployed(script: string, binding: Record<string, unknown>): Promise<Record<string, unknown>> {
  const name = scriptName();
  const parts = { [script]: source(script), "results.js": source("results.js") };
  const metadata = { main_module: script, compatibility_date: COMPATIBILITY_DATE, bindings: [binding] };
  const deployment = await deploy(name, parts, metadata);
  assert.deepEqual(deployment.errors, []);
  const answer = await visit(name);
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text);
}

/** Asserts that both ran the same operations with the same results. */
function assertSame(ours: Record<string, unknown>, theirs: Record<string, unknown>, atLeast: number): void {
  assert.ok(Object.keys(theirs).length >= atLeast, `only ${Object.keys(theirs).length} operations ran`);
  const different = [...new Set([...Object.keys(theirs), ...Object.keys(ours)])]
    .filter((label) => JSON.stringify(ours[label]) !== JSON.stringify(theirs[label]))
    .map((label) => ({ label, native: theirs[label], here: ours[label] }));
  assert.deepEqual(different, []);
}

const id = `compared-${process.pid}-${Date.now()}`;

test("KV: hundreds of operations have the results of the native binding", async () => {
  const [ours, theirs] = await Promise.all([
    deployed("kv.js", { type: "kv_namespace", name: "KV", namespace_id: id }),
    native("kv.js", { KV: { type: "kv", id } }),
  ]);
  assertSame(ours, theirs, 450);
});

test("R2: hundreds of operations have the results of the native binding", async () => {
  const [ours, theirs] = await Promise.all([
    deployed("r2.js", { type: "r2_bucket", name: "R2", bucket_name: id }),
    native("r2.js", { R2: { type: "r2", name: id } }),
  ]);
  assertSame(ours, theirs, 500);
});

test("D1: hundreds of operations have the results of the native binding", async () => {
  const [ours, theirs] = await Promise.all([
    deployed("d1.js", { type: "d1", name: "DB", id }),
    native("d1.js", { DB: { type: "d1", id } }),
  ]);
  assertSame(ours, theirs, 200);
});
