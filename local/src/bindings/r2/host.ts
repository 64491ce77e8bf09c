import { WorkerEntrypoint } from "cloudflare:workers";
import { utf8 } from "../../encoding.ts";
import type { Environment } from "../../environment.ts";
import { fetchStorage } from "../storage-object.ts";
import type { StorageAddress } from "../storage.ts";

/** The request in JSON: in the protocol of the runtime if it only reads, and from an isolate also if it changes something. */
const REQUEST = "cf-r2-request";
/** The number of bytes at the start of a body that are JSON, in the protocol of the runtime. */
const METADATA_SIZE = "cf-r2-metadata-size";
/** R2's error in JSON. */
const ERROR = "cf-r2-error";
/** The metadata of the object whose bytes are the body, in JSON. */
const METADATA = "cf-r2-metadata";

/** A bucket. */
export interface Bucket {
  readonly environment: Environment;
  readonly address: StorageAddress;
}

/** The host entrypoint of a bucket in the isolate of a user Worker. */
export class BucketHost extends WorkerEntrypoint<Environment, StorageAddress> {
  override async fetch(request: Request): Promise<Response> {
    return await fetchBucket({ environment: this.env, address: this.ctx.props }, request);
  }
}

/**
 * Sends a request to a bucket. Other than in the protocol of the runtime, the JSON is always in the header `cf-r2-request`, and the body is
 * the value alone. The response to `get` has the bytes of the object as its body and the JSON in the header `cf-r2-metadata`. Every other
 * response has the JSON as its body. The status is 411 if `content-length`, the length of the value, is not known.
 */
export async function fetchBucket(bucket: Bucket, request: Request): Promise<Response> {
  const json = request.headers.get(REQUEST) ?? "{}";
  const response = await (request.method === "PUT" ? put(bucket, json, request) : read(bucket, json));
  if (response.status >= 400) return await failed(response);
  return (JSON.parse(json) as { method?: string }).method === "get" ? await objectResponse(response) : response;
}

/** A value that is stored. */
export interface BucketValue {
  readonly body: BodyInit | null;
  /** Bytes. */
  readonly size: number;
}

/** Sends a request of the platform itself to a bucket. A request that changes something has a value, which can be empty. */
export async function sendToBucket(bucket: Bucket, request: object, value?: BucketValue): Promise<Response> {
  const json = { [REQUEST]: asciiJson(JSON.stringify(request)) };
  if (value === undefined) return await fetchBucket(bucket, new Request("https://r2/", { headers: json }));
  const headers = { ...json, "content-length": String(value.size) };
  return await fetchBucket(bucket, new Request("https://r2/", { method: "PUT", headers, body: value.body }));
}

async function read({ environment, address }: Bucket, json: string): Promise<Response> {
  return await fetchStorage(environment, address, new Request("https://r2/", { headers: { [REQUEST]: json } }));
}

async function put({ environment, address }: Bucket, json: string, { headers, body }: Request): Promise<Response> {
  const length = body === null ? 0 : Number(headers.get("content-length") ?? Number.NaN);
  if (Number.isNaN(length)) return new Response(null, { status: 411 });
  const metadata = utf8(json);
  const { readable, writable } = new FixedLengthStream(metadata.byteLength + length);
  const init = { method: "PUT", headers: { [METADATA_SIZE]: String(metadata.byteLength) }, body: readable };
  const stored = fetchStorage(environment, address, new Request("https://r2/", init));
  // The storage does not answer when the client ends a value early, so the failure to write ends the request.
  const failure = write(writable, metadata, body).then(() => new Promise<never>(() => {}));
  return await Promise.race([stored, failure]);
}

async function write(writable: WritableStream, metadata: ArrayBuffer, body: ReadableStream | null): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(new Uint8Array(metadata));
  if (body === null) return await writer.close();
  writer.releaseLock();
  await body.pipeTo(writable);
}

/** The error, with the object's metadata if the object does not meet the conditions of the request. */
async function failed(response: Response): Promise<Response> {
  const headers = new Headers();
  const error = response.headers.get(ERROR);
  if (error !== null) headers.set(ERROR, error);
  const body = await response.text();
  if (response.headers.has(METADATA_SIZE)) headers.set(METADATA, asciiJson(body));
  return new Response(null, { status: response.status, headers });
}

/** The response of the storage to `get`: the JSON becomes a header, and the rest is the body. */
async function objectResponse(response: Response): Promise<Response> {
  const size = Number(response.headers.get(METADATA_SIZE));
  if (response.body === null) throw new Error("the storage returned an object without a body");
  const reader = (response.body as ReadableStream<Uint8Array>).getReader({ mode: "byob" });
  const { value } = await reader.readAtLeast(size, new Uint8Array(size));
  reader.releaseLock();
  const json = new TextDecoder().decode(value);
  const { size: whole, range } = JSON.parse(json) as { size: number; range?: { length?: number } };
  const rest = new FixedLengthStream(range?.length ?? whole);
  // A failure also ends the stream, so the reader of the body sees it.
  response.body.pipeTo(rest.writable).catch(() => {});
  return new Response(rest.readable, { headers: { [METADATA]: asciiJson(json) } });
}

/** JSON that can be the value of a header. */
function asciiJson(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
