import { Refusal } from "../refusal.ts";
import { ACCOUNT_NAMESPACE, accountAddress, scriptNotFound } from "../script.ts";
import type { CustomDomain, DnsRecord, Zone, ZoneRoute } from "../store/zones.ts";
import { type Call, jsonObjectBody, parameter } from "./call.ts";
import { success } from "./envelope.ts";
import { wholeNumber } from "./resources.ts";

/** The name of a zone: labels with a dot between them. */
const ZONE = /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/;

/** One page of the zones: `?name&page&per_page`. */
export async function listZones(call: Call): Promise<Response> {
  const page = wholeNumber(call, "page", 1, Number.MAX_SAFE_INTEGER);
  const perPage = wholeNumber(call, "per_page", 20, 1000);
  const name = call.req.query("name");
  const all = (await call.var.platform.store.zones()).filter((zone) => name === undefined || zone.name === name);
  const zones = all.slice((page - 1) * perPage, page * perPage);
  const info = { page, per_page: perPage, count: zones.length, total_count: all.length, total_pages: Math.ceil(all.length / perPage) };
  return success(zones.map((zone) => shownZone(call, zone)), { info });
}

/** Adds a zone: `{name}`. The local platform serves none of its hosts: routes and custom domains are stored only. */
export async function createZone(call: Call): Promise<Response> {
  const { name } = await jsonObjectBody(call);
  if (typeof name !== "string" || !ZONE.test(name)) throw new Refusal("BODY_INVALID", "`name` must be a name such as example.com.");
  const zone = await call.var.platform.store.addZone(name);
  if (zone === null) throw new Refusal("BODY_INVALID", `The zone ${name} exists already.`);
  return success(shownZone(call, zone));
}

/** One zone. */
export async function getZone(call: Call): Promise<Response> {
  return success(shownZone(call, await zoneOf(call)));
}

/** The routes of a zone. */
export async function listRoutes(call: Call): Promise<Response> {
  const { id } = await zoneOf(call);
  return success((await call.var.platform.store.zoneRoutes(id)).map(shownRoute));
}

/** Adds a route: `{pattern, script}`. Without a script, no Worker gets the requests. */
export async function createRoute(call: Call): Promise<Response> {
  const zone = await zoneOf(call);
  const { pattern, script } = await requestedRoute(call, zone);
  const route = await call.var.platform.store.addZoneRoute(zone.id, pattern, script);
  if (route === null) throw patternTaken(pattern);
  return success(shownRoute(route));
}

/** One route. */
export async function getRoute(call: Call): Promise<Response> {
  return success(shownRoute(await routeOf(call)));
}

/** Replaces a route: `{pattern, script}`. */
export async function changeRoute(call: Call): Promise<Response> {
  const route = { ...(await routeOf(call)), ...(await requestedRoute(call, await zoneOf(call))) };
  if (!(await call.var.platform.store.changeZoneRoute(route))) throw patternTaken(route.pattern);
  return success(shownRoute(route));
}

/** Deletes a route. */
export async function deleteRoute(call: Call): Promise<Response> {
  const { zone, id } = await routeOf(call);
  await call.var.platform.store.removeZoneRoute(zone, id);
  return success({ id });
}

/** One page of the DNS records of a zone: `?page&per_page`. */
export async function listRecords(call: Call): Promise<Response> {
  const page = wholeNumber(call, "page", 1, Number.MAX_SAFE_INTEGER);
  const perPage = wholeNumber(call, "per_page", 100, 50000);
  const all = await call.var.platform.store.dnsRecords((await zoneOf(call)).id);
  const records = all.slice((page - 1) * perPage, page * perPage);
  const info = { page, per_page: perPage, count: records.length, total_count: all.length, total_pages: Math.ceil(all.length / perPage) };
  return success(records.map(shownRecord), { info });
}

/** Adds a DNS record: `{type, name, content, proxied}`. No name server of the local platform answers with it. */
export async function createRecord(call: Call): Promise<Response> {
  const zone = await zoneOf(call);
  const { type, name, content, proxied = false } = await jsonObjectBody(call);
  if (typeof type !== "string" || typeof name !== "string" || typeof content !== "string" || typeof proxied !== "boolean") {
    throw new Refusal("BODY_INVALID", "A record has `type`, `name` and `content`, which are texts, and `proxied`.");
  }
  if (!isWithin(name, zone.name)) throw new Refusal("BODY_INVALID", `\`name\` must be a host of the zone ${zone.name}.`);
  return success(shownRecord(await call.var.platform.store.addDnsRecord({ zone: zone.id, type, name, content, proxied })));
}

/** The custom domains: `?service&hostname&zone_id`. */
export async function listDomains(call: Call): Promise<Response> {
  const { store } = call.var.platform;
  const [service, hostname, zone] = ["service", "hostname", "zone_id"].map((name) => call.req.query(name));
  const zones = await store.zones();
  const selected = (await store.customDomains()).filter(
    (domain) =>
      (service === undefined || domain.service === service) &&
      (hostname === undefined || domain.hostname === hostname) &&
      (zone === undefined || domain.zone === zone),
  );
  return success(selected.map((domain) => shownDomain(domain, zones)));
}

/** Attaches a host name of a zone to an account Worker: `{hostname, service, zone_id}`. */
export async function attachDomain(call: Call): Promise<Response> {
  const { store } = call.var.platform;
  const { hostname, service, zone_id: id } = await jsonObjectBody(call);
  const zones = await store.zones();
  const zone = zones.find((found) => found.id === id);
  if (zone === undefined) throw zoneNotFound(String(id));
  if (typeof hostname !== "string" || !isWithin(hostname, zone.name)) {
    throw new Refusal("BODY_INVALID", `\`hostname\` must be a host of the zone ${zone.name}.`);
  }
  if (typeof service !== "string") throw new Refusal("BODY_INVALID", "`service` must be the name of an account Worker.");
  await checkScript(call, service);
  return success(shownDomain(await store.setCustomDomain(hostname, service, zone.id), zones));
}

/** One custom domain. */
export async function getDomain(call: Call): Promise<Response> {
  const { store } = call.var.platform;
  return success(shownDomain(await domainOf(call), await store.zones()));
}

/** Detaches a custom domain. */
export async function detachDomain(call: Call): Promise<Response> {
  const { id } = await domainOf(call);
  await call.var.platform.store.removeCustomDomain(id);
  return success({ id });
}

/** One page of the Durable Object classes of account Workers: `?page&per_page`. */
export async function listObjectNamespaces(call: Call): Promise<Response> {
  const page = wholeNumber(call, "page", 1, Number.MAX_SAFE_INTEGER);
  const perPage = wholeNumber(call, "per_page", 20, 1000);
  const scripts = await call.var.platform.store.scripts(ACCOUNT_NAMESPACE, "");
  const all = scripts.flatMap(({ script, version }) =>
    Object.entries(version.objectClasses).map(([className, storage]) => ({
      id: storage.replaceAll("-", ""),
      name: `${script}_${className}`,
      script,
      class: className,
      use_sqlite: true,
    })),
  );
  const selected = all.slice((page - 1) * perPage, page * perPage);
  const info = { page, per_page: perPage, count: selected.length, total_count: all.length, total_pages: Math.ceil(all.length / perPage) };
  return success(selected, { info });
}

/** The objects of a class that were used, of which each is taken to have data. */
export async function listObjects(call: Call): Promise<Response> {
  const { store } = call.var.platform;
  const id = parameter(call, "id");
  const scripts = await store.scripts(ACCOUNT_NAMESPACE, "");
  const storage = scripts.flatMap(({ version }) => Object.values(version.objectClasses)).find((own) => own.replaceAll("-", "") === id);
  if (storage === undefined) throw new Refusal("OBJECT_NAMESPACE_NOT_FOUND", `There is no Durable Object namespace ${id}.`);
  const objects = (await store.usedObjects(storage)).map((object) => ({ id: object, hasStoredData: true }));
  return success(objects, { info: { count: objects.length, per_page: 1000, cursor: "" } });
}

async function zoneOf(call: Call): Promise<Zone> {
  const id = parameter(call, "zone");
  const zone = (await call.var.platform.store.zones()).find((found) => found.id === id);
  if (zone === undefined) throw zoneNotFound(id);
  return zone;
}

async function routeOf(call: Call): Promise<ZoneRoute> {
  const zone = await zoneOf(call);
  const id = parameter(call, "route");
  const route = (await call.var.platform.store.zoneRoutes(zone.id)).find((found) => found.id === id);
  if (route === undefined) throw new Refusal("ZONE_ROUTE_NOT_FOUND", `The zone ${zone.name} has no route ${id}.`);
  return route;
}

async function domainOf(call: Call): Promise<CustomDomain> {
  const id = parameter(call, "domain");
  const domain = (await call.var.platform.store.customDomains()).find((found) => found.id === id);
  if (domain === undefined) throw new Refusal("CUSTOM_DOMAIN_NOT_FOUND", `There is no custom domain ${id}.`);
  return domain;
}

async function requestedRoute(call: Call, zone: Zone): Promise<{ pattern: string; script: string | null }> {
  const { pattern, script = null } = await jsonObjectBody(call);
  const host = typeof pattern === "string" ? (pattern.replace(/^https?:\/\//, "").split("/")[0] ?? "") : "";
  if (typeof pattern !== "string" || !isWithin(host.replace(/^\*\.?/, ""), zone.name)) {
    throw new Refusal("BODY_INVALID", `\`pattern\` must be one for hosts of the zone ${zone.name}.`);
  }
  if (script === null) return { pattern, script };
  if (typeof script !== "string") throw new Refusal("BODY_INVALID", "`script` must be the name of an account Worker.");
  await checkScript(call, script);
  return { pattern, script };
}

/** The dispatch Worker is not stored as an account Worker: the local platform runs it directly. */
async function checkScript(call: Call, script: string): Promise<void> {
  if (script === DISPATCH_WORKER) return;
  const address = accountAddress(script);
  if ((await call.var.platform.store.script(address)) === null) throw scriptNotFound(address);
}

/** The script name of the dispatch Worker, as `dotdo.jsonc` and the bindings of `local/wrangler.jsonc` have it. */
const DISPATCH_WORKER = "dispatcher";

function isWithin(host: string, zone: string): boolean {
  return host === zone || host.endsWith(`.${zone}`);
}

function shownZone({ env }: Call, { id, name }: Zone): Record<string, unknown> {
  return { id, name, status: "active", account: { id: env.ACCOUNT_ID } };
}

function shownRoute({ id, pattern, script }: ZoneRoute): Record<string, unknown> {
  return { id, pattern, ...(script === null ? {} : { script }) };
}

function shownRecord({ id, type, name, content, proxied }: DnsRecord): Record<string, unknown> {
  return { id, type, name, content, proxied, ttl: 1 };
}

function shownDomain({ id, hostname, service, zone }: CustomDomain, zones: readonly Zone[]): Record<string, unknown> {
  const name = zones.find((found) => found.id === zone)?.name ?? "";
  return { id, hostname, service, environment: "production", zone_id: zone, zone_name: name };
}

function zoneNotFound(id: string): Refusal {
  return new Refusal("ZONE_NOT_FOUND", `There is no zone with the id ${JSON.stringify(id.slice(0, 100))}.`);
}

function patternTaken(pattern: string): Refusal {
  return new Refusal("ZONE_ROUTE_EXISTS", `A route with the pattern ${pattern} already exists.`);
}
