import assert from "node:assert/strict";
import { after, test } from "node:test";
import { ACCOUNT, call, uploadForm, visitHost } from "../platform/platform.ts";

const PATH = `/accounts/${ACCOUNT}`;
const NAMESPACES = `${PATH}/workers/dispatch/namespaces`;

// The other files of tests need an account with everything.
after(() => call("DELETE", "/local/account"));

async function empty(unsubscribed: readonly string[] = []): Promise<void> {
  assert.equal((await call("PUT", "/local/account", json({ unsubscribed }))).status, 200);
}

/** A token with permissions, and perhaps a call that fails once. */
async function token(permissions: readonly string[], fault: object | null = null): Promise<string> {
  const created = await call("POST", "/local/tokens", json({ permissions, fault }));
  return String(created.result.token);
}

function json(body: unknown, bearer?: string): RequestInit {
  const headers = { "content-type": "application/json", ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }) };
  return { body: JSON.stringify(body), headers };
}

function as(bearer: string): RequestInit {
  return { headers: { authorization: `Bearer ${bearer}` } };
}

/** A Worker that asks a dispatch namespace for a script. */
async function deployDispatcher(): Promise<number> {
  const code = `export default {
    async fetch(request, env) {
      try {
        return await (await env.SCRIPTS.get("absent")).fetch(request);
      } catch (error) {
        return new Response(error.message);
      }
    },
  };`;
  const bindings = [{ type: "dispatch_namespace", name: "SCRIPTS", namespace: "dotdo-staging" }];
  const form = uploadForm({ main_module: "index.js", compatibility_date: "2026-01-01", bindings }, { "index.js": code });
  return (await call("PUT", `${PATH}/workers/scripts/asks`, { body: form })).status;
}

test("an empty account has namespaces, a bucket and a subdomain only after they were created", async () => {
  await empty();
  assert.deepEqual((await call("GET", NAMESPACES)).result, []);
  assert.equal(await deployDispatcher(), 404);
  const created = await call("POST", NAMESPACES, json({ name: "dotdo-staging" }));
  assert.equal(created.result.namespace_name, "dotdo-staging");
  assert.equal((await call("POST", NAMESPACES, json({ name: "dotdo-staging" }))).errors[0]?.code, 10089);
  assert.equal((await call("GET", NAMESPACES)).result[0].namespace_id, created.result.namespace_id);
  assert.equal((await call("GET", `${NAMESPACES}/dotdo-production`)).status, 404);

  const bucket = `${PATH}/r2/buckets/bundles`;
  assert.equal((await call("GET", bucket)).errors[0]?.code, 10006);
  assert.equal((await call("POST", `${PATH}/r2/buckets`, json({ name: "bundles" }))).status, 200);
  assert.equal((await call("GET", bucket)).status, 200);

  assert.equal(await deployDispatcher(), 200);
  const address = `${PATH}/workers/scripts/asks/subdomain`;
  assert.equal((await call("POST", address, json({ enabled: true }))).errors[0]?.code, 10063);
  const subdomain = `${PATH}/workers/subdomain`;
  assert.equal((await call("GET", subdomain)).errors[0]?.code, 10007);
  assert.equal((await call("PUT", subdomain, json({ subdomain: "Ä" }))).status, 400);
  assert.equal((await call("PUT", subdomain, json({ subdomain: "example" }))).status, 200);
  assert.equal((await call("PUT", subdomain, json({ subdomain: "other" }))).status, 409);
  assert.equal((await call("POST", address, json({ enabled: true }))).status, 200);
  const visit = await visitHost("asks.workers.dev.localhost:8787");
  assert.equal(visit.text, "Worker not found.");
  await empty();
  assert.equal((await call("GET", `${PATH}/workers/scripts/asks/settings`)).status, 404);
});

test("products without a subscription are refused with Cloudflare's codes", async () => {
  await empty(["workers_for_platforms", "r2"]);
  assert.equal((await call("GET", NAMESPACES)).errors[0]?.code, 10121);
  assert.equal((await call("POST", NAMESPACES, json({ name: "dotdo-staging" }))).errors[0]?.code, 10121);
  assert.equal((await call("GET", `${PATH}/r2/buckets`)).errors[0]?.code, 10042);
  assert.equal((await call("PUT", "/local/account", json({ unsubscribed: ["other"] }))).status, 400);
});

test("a token may do only what its permissions allow, and verifies without any", async () => {
  await empty();
  const reader = await token(["Workers Scripts Read"]);
  assert.equal((await call("GET", "/user/tokens/verify", as(reader))).result.status, "active");
  assert.equal((await call("GET", NAMESPACES, as(reader))).status, 200);
  const refused = await call("POST", NAMESPACES, json({ name: "dotdo-staging" }, reader));
  assert.deepEqual([refused.status, refused.errors[0]?.code], [403, 10000]);
  assert.equal((await call("GET", `${PATH}/r2/buckets`, as(reader))).errors[0]?.code, 10000);
  const writer = await token(["Workers Scripts Write", "Workers R2 Storage Write"]);
  assert.equal((await call("GET", `${PATH}/r2/buckets`, as(writer))).status, 200);
  assert.equal((await call("POST", NAMESPACES, json({ name: "dotdo-staging" }, writer))).status, 200);
});

test("a call of a token fails once", async () => {
  await empty();
  const fails = await token(["Workers Scripts Write"], { method: "GET", path: "/dispatch/namespaces", status: 503 });
  assert.equal((await call("GET", `${PATH}/workers/subdomain`, as(fails))).status, 404);
  assert.equal((await call("GET", NAMESPACES, as(fails))).status, 503);
  assert.equal((await call("GET", NAMESPACES, as(fails))).status, 200);
  assert.equal((await call("POST", "/local/tokens", json({ permissions: [], fault: { method: "GET" } }))).status, 400);
});
