import { fetchStorage } from "../bindings/storage-object.ts";
import type { StorageAddress } from "../bindings/storage.ts";
import { fromBase64, utf8 } from "../encoding.ts";
import { Refusal } from "../refusal.ts";
import type { Resource } from "../store/resources.ts";
import { type Call, jsonBody, jsonObjectBody, parameter } from "./call.ts";
import { success } from "./envelope.ts";
import { findResource, listResources, storageOf, wholeNumber } from "./resources.ts";

/** Cloudflare's limit for one bulk call. */
const MAX_BULK_KEYS = 10_000;

/** The namespaces: `?page&per_page`. */
export async function listNamespaces(call: Call): Promise<Response> {
  return await listResources(call, "kv", shownNamespace);
}

/** Creates a namespace: `{title}`. */
export async function createNamespace(call: Call): Promise<Response> {
  const title = await readTitle(call);
  const id = crypto.randomUUID().replaceAll("-", "");
  const created = await call.var.platform.store.createResource({ kind: "kv", id }, title);
  if (created !== null) return success(shownNamespace(created));
  throw new Refusal("KV_TITLE_TAKEN", `A namespace with this account ID and title already exists: ${title}.`);
}

/** One namespace. */
export async function getNamespace(call: Call): Promise<Response> {
  return success(shownNamespace(await namespaceOf(call)));
}

/** Changes the title: `{title}`. */
export async function renameNamespace(call: Call): Promise<Response> {
  const { id } = await namespaceOf(call);
  const title = await readTitle(call);
  if (await call.var.platform.store.renameResource({ kind: "kv", id }, title)) return success(shownNamespace({ id, name: title }));
  throw new Refusal("KV_TITLE_TAKEN", `A namespace with this account ID and title already exists: ${title}.`);
}

/** Deletes a namespace with its keys. A Worker that is bound to it finds an empty namespace. */
export async function deleteNamespace(call: Call): Promise<Response> {
  const { id } = await namespaceOf(call);
  const address: StorageAddress = { kind: "kv", id };
  for (let keys = await keysOf(call, address); keys.length > 0; keys = await keysOf(call, address)) {
    for (const key of keys) await send(call, address, "DELETE", key);
  }
  await call.var.platform.store.removeResource(address);
  return success(null);
}

/** The keys: `?prefix&limit&cursor`. */
export async function listKeys(call: Call): Promise<Response> {
  const address = await storageOf(call, "kv");
  const limit = wholeNumber(call, "limit", 1000, 1000);
  const url = new URL(`https://kv/?key_count_limit=${limit}`);
  for (const name of ["prefix", "cursor"]) {
    const value = call.req.query(name);
    if (value) url.searchParams.set(name, value);
  }
  const response = await checked(await fetchStorage(call.env, address, new Request(url)));
  const page = await response.json<{ keys: ListedKey[]; cursor?: string }>();
  const keys = page.keys.map(({ metadata, ...key }) => ({
    ...key,
    ...(metadata === undefined ? {} : { metadata: JSON.parse(metadata) as unknown }),
  }));
  return success(keys, { info: { count: keys.length, per_page: limit, cursor: page.cursor ?? "" } });
}

/** The bytes of a value. */
export async function getValue(call: Call): Promise<Response> {
  const response = await send(call, await storageOf(call, "kv"), "GET", parameter(call, "key"));
  const headers = new Headers({ "content-type": "application/octet-stream", "cache-control": "no-store" });
  const expiration = response.headers.get("cf-expiration");
  if (expiration !== null) headers.set("expiration", expiration);
  return new Response(response.body, { headers });
}

/** The metadata of a key. */
export async function getMetadata(call: Call): Promise<Response> {
  const response = await send(call, await storageOf(call, "kv"), "GET", parameter(call, "key"));
  await response.body?.cancel();
  return success(JSON.parse(response.headers.get("cf-kv-metadata") ?? "null"));
}

/** Stores a value: the body, or the fields `value` and `metadata` of a form; `?expiration&expiration_ttl`. */
export async function putValue(call: Call): Promise<Response> {
  const address = await storageOf(call, "kv");
  const isForm = (call.req.header("content-type") ?? "").startsWith("multipart/form-data");
  const { value, metadata } = isForm ? await readForm(call) : { value: call.req.raw.body, metadata: undefined };
  const expiry = { expiration: call.req.query("expiration"), expiration_ttl: call.req.query("expiration_ttl") };
  await put(call, address, { key: parameter(call, "key"), value, metadata, ...expiry });
  return success(null);
}

/** Deletes a key. */
export async function deleteValue(call: Call): Promise<Response> {
  await send(call, await storageOf(call, "kv"), "DELETE", parameter(call, "key"));
  return success(null);
}

/** Stores many values: `[{key, value, base64?, expiration?, expiration_ttl?, metadata?}]`. */
export async function putMany(call: Call): Promise<Response> {
  const address = await storageOf(call, "kv");
  const pairs = await readList(call);
  for (const pair of pairs) {
    const { key, value, base64, expiration, expiration_ttl, metadata } = (pair ?? {}) as Record<string, unknown>;
    if (typeof key !== "string" || typeof value !== "string") {
      throw new Refusal("BODY_INVALID", "Each element needs a string `key` and a string `value`.");
    }
    const expiry = { expiration: text(expiration), expiration_ttl: text(expiration_ttl) };
    await put(call, address, {
      key,
      value: base64 === true ? fromBase64(value) : utf8(value),
      metadata: metadata === undefined || metadata === null ? undefined : JSON.stringify(metadata),
      ...expiry,
    });
  }
  return success({ successful_key_count: pairs.length, unsuccessful_keys: [] });
}

/** Deletes many keys: `[key]`. */
export async function deleteMany(call: Call): Promise<Response> {
  const address = await storageOf(call, "kv");
  const keys = await readList(call);
  for (const key of keys) await send(call, address, "DELETE", String(key));
  return success({ successful_key_count: keys.length, unsuccessful_keys: [] });
}

/** Reads up to 100 values: `{keys, type?, withMetadata?}`. */
export async function getMany(call: Call): Promise<Response> {
  const address = await storageOf(call, "kv");
  const init = { method: "POST", body: JSON.stringify(await jsonObjectBody(call)) };
  const response = await checked(await fetchStorage(call.env, address, new Request("https://kv/bulk/get", init)));
  return success({ values: await response.json() });
}

interface ListedKey {
  readonly name: string;
  readonly expiration?: number;
  /** In JSON. */
  readonly metadata?: string;
}

interface Pair {
  readonly key: string;
  readonly value: BodyInit | null;
  /** In JSON. */
  readonly metadata: string | undefined;
  readonly expiration: string | undefined;
  readonly expiration_ttl: string | undefined;
}

async function put(call: Call, address: StorageAddress, pair: Pair): Promise<void> {
  const url = keyUrl(pair.key);
  if (pair.expiration !== undefined) url.searchParams.set("expiration", pair.expiration);
  if (pair.expiration_ttl !== undefined) url.searchParams.set("expiration_ttl", pair.expiration_ttl);
  const headers = pair.metadata === undefined ? {} : { "cf-kv-metadata": pair.metadata };
  const request = new Request(url, { method: "PUT", headers, body: pair.value });
  await checked(await fetchStorage(call.env, address, request));
}

async function send(call: Call, address: StorageAddress, method: string, key: string): Promise<Response> {
  return await checked(await fetchStorage(call.env, address, new Request(keyUrl(key), { method })));
}

function keyUrl(key: string): URL {
  return new URL(`https://kv/${encodeURIComponent(key)}?urlencoded=true`);
}

async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  await response.body?.cancel();
  if (response.status === 404) throw new Refusal("KV_KEY_NOT_FOUND", "get: 'key not found'");
  throw new Refusal("KV_REQUEST_INVALID", response.statusText);
}

async function keysOf(call: Call, address: StorageAddress): Promise<string[]> {
  const response = await checked(await fetchStorage(call.env, address, new Request("https://kv/")));
  return (await response.json<{ keys: ListedKey[] }>()).keys.map(({ name }) => name);
}

async function readTitle(call: Call): Promise<string> {
  const { title } = await jsonObjectBody(call);
  if (typeof title === "string" && title !== "" && title.length <= 512) return title;
  throw new Refusal("BODY_INVALID", "`title` must be a text of at most 512 characters.");
}

async function readForm(call: Call): Promise<{ value: BodyInit; metadata: string | undefined }> {
  const form = await call.req.raw.formData();
  const [value, metadata] = [form.get("value"), form.get("metadata")];
  if (value === null) throw new Refusal("BODY_INVALID", "The form has no field `value`.");
  return { value, metadata: metadata === null ? undefined : typeof metadata === "string" ? metadata : await metadata.text() };
}

async function readList(call: Call): Promise<unknown[]> {
  const body = await jsonBody(call);
  if (Array.isArray(body) && body.length <= MAX_BULK_KEYS) return body;
  throw new Refusal("BODY_INVALID", `The body must be a list of at most ${MAX_BULK_KEYS} elements.`);
}

function text(value: unknown): string | undefined {
  return typeof value === "number" || typeof value === "string" ? String(value) : undefined;
}

async function namespaceOf(call: Call): Promise<Resource> {
  const id = parameter(call, "id");
  const found = await findResource(call, "kv", id);
  if (found !== null && found.id === id) return found;
  throw new Refusal("KV_NAMESPACE_NOT_FOUND", `The local platform has no KV namespace ${JSON.stringify(id)}.`);
}

function shownNamespace({ id, name }: Pick<Resource, "id" | "name">): Record<string, unknown> {
  return { id, title: name, supports_url_encoding: true };
}
