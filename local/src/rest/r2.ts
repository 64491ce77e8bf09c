import { BUCKET_NAME_RULE, isBucketName } from "../bindings/r2/kind.ts";
import { type BucketValue, sendToBucket } from "../bindings/r2/host.ts";
import { bucketAddress } from "../bindings/storage.ts";
import { Refusal } from "../refusal.ts";
import { type Call, jsonObjectBody, parameter } from "./call.ts";
import { success } from "./envelope.ts";

/** The members of HTTP metadata and their headers. */
const HTTP_FIELDS = {
  contentType: "content-type",
  contentLanguage: "content-language",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  cacheControl: "cache-control",
};

/** Refuses the calls about buckets in an account without R2. */
export async function checkEnabled({ var: { platform } }: Call, next: () => Promise<void>): Promise<void> {
  const account = await platform.store.emptyAccount();
  if (account?.unsubscribed.includes("r2") !== true) return await next();
  throw new Refusal("R2_NOT_ENABLED", "Please enable R2 through the Cloudflare Dashboard.");
}

/** The buckets of a jurisdiction. */
export async function listBuckets(call: Call): Promise<Response> {
  const jurisdiction = jurisdictionOf(call);
  const prefix = jurisdiction === undefined ? "" : `${jurisdiction}.`;
  const buckets = (await call.var.platform.store.resources("r2")).filter(({ id }) =>
    jurisdiction === undefined ? !id.includes(".") : id.startsWith(prefix),
  );
  const shown = buckets.map(({ id, createdOn }) => ({ name: id.slice(prefix.length), creation_date: createdOn }));
  return success({ buckets: shown }, { info: { count: shown.length, per_page: 1000 } });
}

/** Creates a bucket: `{name}`. */
export async function createBucket(call: Call): Promise<Response> {
  const { name } = await jsonObjectBody(call);
  const bucket = checkedName(name);
  const address = bucketAddress({ bucket_name: bucket, ...jurisdictionField(call) });
  const created = await call.var.platform.store.createResource(address, address.id);
  if (created !== null) return success(shownBucket(call, bucket, created.createdOn));
  throw new Refusal("R2_BUCKET_EXISTS", "The bucket you tried to create already exists, and you own it.");
}

/**
 * One bucket. A bucket that was not created exists too, because the first use creates it; but not in an account that began empty.
 */
export async function getBucket(call: Call): Promise<Response> {
  const bucket = checkedName(parameter(call, "bucket"));
  const address = bucketAddress({ bucket_name: bucket, ...jurisdictionField(call) });
  const found = (await call.var.platform.store.resources("r2")).find(({ id }) => id === address.id);
  if (found === undefined && (await call.var.platform.store.emptyAccount()) !== null) {
    throw new Refusal("R2_BUCKET_NOT_FOUND", "The specified bucket does not exist.");
  }
  return success(shownBucket(call, bucket, found?.createdOn ?? new Date().toISOString()));
}

/** Deletes a bucket, which must be empty. */
export async function deleteBucket(call: Call): Promise<Response> {
  const bucket = checkedName(parameter(call, "bucket"));
  const address = bucketAddress({ bucket_name: bucket, ...jurisdictionField(call) });
  const listed = await send(call, { method: "list", limit: 1 });
  if ((await listed.json<{ objects: unknown[] }>()).objects.length > 0) {
    throw new Refusal("R2_BUCKET_NOT_EMPTY", "The bucket you tried to delete is not empty.");
  }
  await call.var.platform.store.removeResource(address);
  return success({});
}

/** The bytes of an object, with its HTTP metadata. */
export async function getObject(call: Call): Promise<Response> {
  const response = await send(call, { method: "get", object: keyOf(call) });
  const { etag, httpFields = {} } = JSON.parse(response.headers.get("cf-r2-metadata") ?? "{}") as {
    etag: string;
    httpFields?: Record<string, string>;
  };
  const headers = new Headers({ etag: `"${etag}"` });
  for (const [field, header] of Object.entries(HTTP_FIELDS)) {
    const value = httpFields[field];
    if (value !== undefined) headers.set(header, value);
  }
  return new Response(response.body, { headers });
}

/** Stores the body as an object, with the HTTP metadata of the request's headers. */
export async function putObject(call: Call): Promise<Response> {
  const bucket = checkedName(parameter(call, "bucket"));
  await call.var.platform.store.ensureResource(bucketAddress({ bucket_name: bucket, ...jurisdictionField(call) }));
  const httpFields: Record<string, string> = {};
  for (const [field, header] of Object.entries(HTTP_FIELDS)) {
    const value = call.req.header(header);
    if (value !== undefined) httpFields[field] = value;
  }
  // The storage needs the length, which a client that sends chunks does not tell.
  const { raw } = call.req;
  const length = raw.headers.get("content-length");
  const body = length === null ? await raw.arrayBuffer() : raw.body;
  const bytes = body instanceof ArrayBuffer ? body.byteLength : Number(length);
  const stored = await send(call, { method: "put", object: keyOf(call), httpFields }, { body, size: bytes });
  const { name, etag, size, version } = await stored.json<Record<string, unknown>>();
  return success({ key: name, etag, size: String(size), version });
}

/** Deletes an object. */
export async function deleteObject(call: Call): Promise<Response> {
  const key = keyOf(call);
  await send(call, { method: "delete", object: key }, { body: null, size: 0 });
  return success({ key });
}

async function send(call: Call, request: Record<string, unknown>, value?: BucketValue): Promise<Response> {
  const address = bucketAddress({ bucket_name: checkedName(parameter(call, "bucket")), ...jurisdictionField(call) });
  const response = await sendToBucket({ environment: call.env, address }, request, value);
  if (response.status < 400) return response;
  const error = JSON.parse(response.headers.get("cf-r2-error") ?? "{}") as { message?: string };
  if (response.status === 404) throw new Refusal("R2_OBJECT_NOT_FOUND", "The specified key does not exist.");
  throw new Refusal("R2_REQUEST_INVALID", error.message ?? "The request is not valid.");
}

/** The key in the path as the client sent it: it may contain slashes, also repeated ones. */
function keyOf(call: Call): string {
  const { pathname } = new URL(call.req.url);
  return decodeURIComponent(pathname.slice(pathname.indexOf("/objects/") + "/objects/".length));
}

function jurisdictionOf(call: Call): string | undefined {
  const jurisdiction = call.req.header("cf-r2-jurisdiction");
  if (jurisdiction === undefined || jurisdiction === "default") return undefined;
  if (/^[a-z-]{1,20}$/.test(jurisdiction)) return jurisdiction;
  throw new Refusal("BODY_INVALID", "The header cf-r2-jurisdiction is not a jurisdiction, such as eu.");
}

function jurisdictionField(call: Call): { jurisdiction?: string } {
  const jurisdiction = jurisdictionOf(call);
  return jurisdiction === undefined ? {} : { jurisdiction };
}

function checkedName(name: unknown): string {
  if (typeof name === "string" && isBucketName(name)) return name;
  throw new Refusal("R2_BUCKET_NAME_INVALID", `The bucket name is not valid. ${BUCKET_NAME_RULE}`);
}

function shownBucket(call: Call, name: string, createdOn: string): Record<string, unknown> {
  return {
    name,
    creation_date: createdOn,
    location: "LOCAL",
    storage_class: "Standard",
    jurisdiction: jurisdictionOf(call) ?? "default",
  };
}
