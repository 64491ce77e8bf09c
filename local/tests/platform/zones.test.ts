import assert from "node:assert/strict";
import { test } from "node:test";
import { WORKERS, deployWorker, visitWorker, workerCall, workerName } from "./account-worker.ts";
import { answering, call } from "./platform.ts";

function json(body: unknown): RequestInit {
  return { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
}

async function newZone(): Promise<{ id: string; name: string }> {
  const { result } = await call("POST", "/zones", json({ name: `${workerName()}.example`.replaceAll("_", "-") }));
  return result;
}

test("a zone has routes to account Workers and to the dispatch Worker", async () => {
  const zone = await newZone();
  const name = workerName();
  const routes = `/zones/${zone.id}/workers/routes`;
  const pattern = `api.${zone.name}/*`;
  assert.equal((await call("POST", routes, json({ pattern, script: name }))).errors[0]?.code, 10007);
  await deployWorker(name, { "index.js": answering("1") });
  const { id } = (await call("POST", routes, json({ pattern, script: name }))).result;
  assert.equal((await call("POST", routes, json({ pattern, script: name }))).status, 409);
  assert.equal((await call("POST", routes, json({ pattern: "other.example/*", script: name }))).status, 400);
  assert.deepEqual((await call("GET", routes)).result, [{ id, pattern, script: name }]);
  assert.equal((await call("PUT", `${routes}/${id}`, json({ pattern, script: "dispatcher" }))).status, 200);
  assert.equal((await call("GET", `${routes}/${id}`)).result.script, "dispatcher");
  const excluding = (await call("POST", routes, json({ pattern: `*.${zone.name}/x` }))).result;
  assert.equal(excluding.script, undefined);
  assert.equal((await call("DELETE", `${routes}/${excluding.id}`)).status, 200);
  assert.equal((await call("GET", `${routes}/${excluding.id}`)).errors[0]?.code, 10040);
  assert.equal((await call("GET", "/zones/none/workers/routes")).status, 404);
  const listed = (await call("GET", `/zones?name=${zone.name}`)).result;
  assert.deepEqual(listed.map((found: { id: string }) => found.id), [zone.id]);
});

test("a zone has DNS records", async () => {
  const zone = await newZone();
  const records = `/zones/${zone.id}/dns_records`;
  const record = { type: "AAAA", name: `*.${zone.name}`, content: "100::", proxied: true };
  const { id } = (await call("POST", records, json(record))).result;
  assert.deepEqual((await call("GET", records)).result, [{ id, ...record, ttl: 1 }]);
  assert.equal((await call("POST", records, json({ ...record, name: "other.example" }))).status, 400);
  assert.equal((await call("POST", records, json({ name: zone.name }))).status, 400);
});

test("a custom domain ends with its Worker", async () => {
  const zone = await newZone();
  const name = workerName();
  await deployWorker(name, { "index.js": answering("1") });
  const domain = { hostname: `www.${zone.name}`, service: name, zone_id: zone.id };
  assert.equal((await call("PUT", `${WORKERS}/domains`, json({ ...domain, hostname: "www.other.example" }))).status, 400);
  const attached = (await call("PUT", `${WORKERS}/domains`, json(domain))).result;
  assert.equal(attached.zone_name, zone.name);
  assert.deepEqual((await call("GET", `${WORKERS}/domains?service=${name}`)).result, [attached]);
  assert.deepEqual((await call("GET", `${WORKERS}/domains/${attached.id}`)).result, attached);
  await workerCall("DELETE", name);
  assert.deepEqual((await call("GET", `${WORKERS}/domains?hostname=www.${zone.name}`)).result, []);
});

const ROOM = `import { DurableObject } from "cloudflare:workers";
export class Room extends DurableObject { fetch() { return new Response("used"); } }
export default { fetch(request, env) { return env.ROOM.getByName("a").fetch(request); } };`;

test("the Durable Objects that were used are listed", async () => {
  const name = workerName();
  const bindings = [{ type: "durable_object_namespace", name: "ROOM", class_name: "Room" }];
  const migrations = { new_tag: "v1", steps: [{ new_sqlite_classes: ["Room"] }] };
  await deployWorker(name, { "index.js": ROOM }, { bindings, migrations });
  const namespaces = (await call("GET", `${WORKERS}/durable_objects/namespaces?per_page=1000`)).result;
  const own = namespaces.find(({ script }: { script: string }) => script === name);
  assert.equal(own.class, "Room");
  const objects = `${WORKERS}/durable_objects/namespaces/${own.id}/objects`;
  assert.deepEqual((await call("GET", objects)).result, []);
  assert.equal((await visitWorker(name)).text, "used");
  const used = (await call("GET", objects)).result;
  assert.equal(used.length, 1);
  assert.equal(used[0].hasStoredData, true);
  assert.equal((await call("GET", `${WORKERS}/durable_objects/namespaces/none/objects`)).status, 404);
});
