import { type StorageAddress, type StorageKind, isStorageId } from "../bindings/storage.ts";
import { Refusal } from "../refusal.ts";
import type { Resource } from "../store/resources.ts";
import { type Call, parameter } from "./call.ts";
import { success } from "./envelope.ts";

/** One page of the resources of a kind: `?page&per_page`. */
export async function listResources(
  call: Call,
  kind: StorageKind,
  shown: (resource: Resource) => unknown,
): Promise<Response> {
  const page = wholeNumber(call, "page", 1, Number.MAX_SAFE_INTEGER);
  const perPage = wholeNumber(call, "per_page", 20, 10_000);
  const name = call.req.query("name");
  const all = (await call.var.platform.store.resources(kind)).filter((resource) => name === undefined || resource.name === name);
  const selected = all.slice((page - 1) * perPage, page * perPage);
  const info = { page, per_page: perPage, count: selected.length, total_count: all.length };
  return success(selected.map(shown), { info });
}

/** The resource with an id or a name; `null` if there is none. */
export async function findResource(call: Call, kind: StorageKind, idOrName: string): Promise<Resource | null> {
  const all = await call.var.platform.store.resources(kind);
  return all.find(({ id }) => id === idOrName) ?? all.find(({ name }) => name === idOrName) ?? null;
}

/** The storage with the id of the path. A call that writes adds it to the list, as the first deploy with a binding does. */
export async function storageOf(call: Call, kind: StorageKind): Promise<StorageAddress> {
  const id = parameter(call, "id");
  if (!isStorageId(id)) throw new Refusal("ROUTE_UNKNOWN", `${JSON.stringify(id.slice(0, 150))} is not an id.`);
  const address = { kind, id };
  if (call.req.method !== "GET") await call.var.platform.store.ensureResource(address);
  return address;
}

/** A number in the query. */
export function wholeNumber(call: Call, name: string, otherwise: number, most: number): number {
  const text = call.req.query(name);
  if (text === undefined) return otherwise;
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  throw new Refusal("BODY_INVALID", `\`${name}\` is ${JSON.stringify(text)}. Use a whole number from 1 to ${most}.`);
}
