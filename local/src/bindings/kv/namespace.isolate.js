// The KV namespaces that a script sees. The runtime cannot pass a real one to a loaded isolate, so this class does what the runtime's
// does (`src/workerd/api/kv.c++` in workerd): it checks the arguments, and sends the runtime's HTTP requests to the storage, which is
// the host entrypoint `StorageObject`.
import {
  bodyOf,
  CONSTRUCTOR,
  checkConstructor,
  checkThis,
  integer,
  isObject,
  likeNative,
  readOptions,
  utf8,
  wrongType,
} from "../arguments.isolate.js";

const MAX_KEY_BYTES = 512;
const encoder = new TextEncoder();
// The runtime keeps a byte-order mark.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Returns the namespace for the stub of a host entrypoint. */
export default function kvNamespace(host) {
  return new KvNamespace(CONSTRUCTOR, host);
}

class KvNamespace {
  #host;

  constructor(caller, host) {
    checkConstructor(caller);
    this.#host = host;
  }

  async get(name, options) {
    checkThis(#host in Object(this));
    const request = readRequest("get", "string or Array", arguments);
    if (Array.isArray(request.name)) return await this.#getMany(request, false);
    return (await this.#getOne(request)).value;
  }

  async getWithMetadata(name, options) {
    checkThis(#host in Object(this));
    const request = readRequest("getWithMetadata", "Array or string", arguments);
    if (Array.isArray(request.name)) return await this.#getMany(request, true);
    return await this.#getOne(request);
  }

  async put(name, value, options) {
    checkThis(#host in Object(this));
    const key = requiredKey("put", arguments);
    if (arguments.length < 2) throw wrongType("put", "KvNamespace", 2, "string or Object");
    const body = readValue(value);
    const { expiration, expirationTtl, metadata } = readOptions("put", "KvNamespace", 3, "PutOptions", options);
    checkKey("PUT", key);
    const url = keyUrl(key);
    if (expiration !== undefined) url.searchParams.set("expiration", integer(expiration));
    if (expirationTtl !== undefined) url.searchParams.set("expiration_ttl", integer(expirationTtl));
    const headers = new Headers();
    if (metadata !== undefined && metadata !== null) headers.set("CF-KV-Metadata", String(JSON.stringify(metadata)));
    await discard(await this.#fetch("PUT", url, { method: "PUT", headers, body }));
  }

  async delete(name) {
    checkThis(#host in Object(this));
    const key = requiredKey("delete", arguments);
    checkKey("DELETE", key);
    await discard(await this.#fetch("DELETE", keyUrl(key), { method: "DELETE" }));
  }

  async list(options) {
    checkThis(#host in Object(this));
    const { limit, prefix, cursor } = readOptions("list", "KvNamespace", 1, "ListOptions", options);
    const url = new URL("https://fake-host/");
    const most = limit === undefined ? 0 : integer(limit);
    if (most > 0) url.searchParams.set("key_count_limit", most);
    for (const [name, text] of Object.entries({ prefix, cursor })) {
      if (text !== undefined && text !== null) url.searchParams.set(name, String(text));
    }
    const response = await this.#fetch("GET", url);
    const page = await response.json();
    for (const key of page.keys) {
      if (typeof key.metadata === "string") key.metadata = JSON.parse(key.metadata);
    }
    page.cacheStatus = response.headers.get("cf-cache-status");
    return page;
  }

  async #getOne({ name, type = "text", cacheTtl }) {
    checkKey("GET", name);
    const url = keyUrl(name);
    if (cacheTtl !== undefined) url.searchParams.set("cache_ttl", cacheTtl);
    const response = await this.#fetch("GET", url, {}, [404, 410]);
    const cacheStatus = response.headers.get("cf-cache-status");
    if (!response.ok) {
      await discard(response);
      return { value: null, metadata: null, cacheStatus };
    }
    const metadata = response.headers.get("CF-KV-Metadata");
    const value = await readBody(response, type);
    return { value, metadata: metadata === null ? null : JSON.parse(metadata), cacheStatus };
  }

  async #getMany({ name: keys, type, cacheTtl }, withMetadata) {
    const body = JSON.stringify({
      keys,
      ...(type === undefined || type === "" ? {} : { type }),
      ...(withMetadata ? { withMetadata } : {}),
      ...(cacheTtl === undefined ? {} : { cacheTtl: String(cacheTtl) }),
    });
    const headers = { "content-type": "application/json" };
    const response = await this.#fetch("GET_BULK", "https://fake-host/bulk/get", { method: "POST", headers, body });
    // The runtime leaves out keys that are array indexes, such as "7".
    return new Map(Object.entries(await response.json()).filter(([key]) => !isArrayIndex(key)));
  }

  /** The response of the storage. Throws the runtime's error if it is none of success and none of `statuses`. */
  async #fetch(operation, url, init, statuses = []) {
    const response = await this.#host.fetch(url, init);
    if (response.ok || statuses.includes(response.status)) return response;
    await discard(response);
    throw new Error(`KV ${operation} failed: ${response.status} ${response.statusText}`);
  }
}

likeNative(KvNamespace);

/** The arguments of `get` and `getWithMetadata`. */
function readRequest(method, expected, [name, options]) {
  if (arguments[2].length < 1) throw wrongType(method, "KvNamespace", 1, expected);
  const key = Array.isArray(name) ? name.map(String) : string(name);
  if (options === undefined || options === null) return { name: key };
  if (!isObject(options)) return { name: key, type: string(options) };
  const { type, cacheTtl } = options;
  return {
    name: key,
    type: type === undefined ? undefined : string(type),
    cacheTtl: cacheTtl === undefined ? undefined : integer(cacheTtl),
  };
}

function requiredKey(method, given) {
  if (given.length < 1) throw wrongType(method, "KvNamespace", 1, "string");
  return string(given[0]);
}

/** The bytes or the stream of a value. */
function readValue(value) {
  const body = bodyOf(isObject(value) ? value : string(value));
  if (body !== undefined) return body;
  throw new TypeError("KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.");
}

async function readBody(response, type) {
  switch (type) {
    case "text":
      return decoder.decode(await response.arrayBuffer());
    case "json":
      return JSON.parse(decoder.decode(await response.arrayBuffer()));
    case "arrayBuffer":
      return await response.arrayBuffer();
    case "stream":
      return response.body;
    default:
      await discard(response);
      throw new TypeError('Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".');
  }
}

function checkKey(operation, key) {
  if (key === "") throw new TypeError("Key name cannot be empty.");
  if (key === "." || key === "..") throw new TypeError(`"${key}" is not allowed as a key name.`);
  const { byteLength } = encoder.encode(key);
  if (byteLength > MAX_KEY_BYTES) {
    throw new Error(`KV ${operation} failed: 414 UTF-8 encoded length of ${byteLength} exceeds key length limit of ${MAX_KEY_BYTES}.`);
  }
}

function keyUrl(key) {
  const path = [...key].map((character) => (character.isWellFormed() ? encodeURIComponent(character) : surrogate(character)));
  return new URL(`https://fake-host/${path.join("")}?urlencoded=true`);
}

/** A lone surrogate as the runtime encodes it, which no decoder accepts. */
function surrogate(character) {
  return utf8(character).reduce((text, byte) => `${text}%${byte.toString(16)}`, "");
}

/** The text of a value, as the runtime converts arguments. A symbol has none. */
function string(value) {
  return `${value}`;
}

function isArrayIndex(key) {
  return /^(0|[1-9]\d{0,9})$/.test(key) && Number(key) < 2 ** 32 - 1;
}

async function discard(response) {
  await response.body?.cancel();
}
