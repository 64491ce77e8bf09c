// The R2 buckets that a script sees. The runtime cannot pass a real one to a loaded isolate, so these classes do what the runtime's do
// (`src/workerd/api/r2-bucket.c++` and `r2-multipart.c++` in workerd): they check the arguments, and send the runtime's requests in JSON
// to the host entrypoint `BucketHost`, with a value as the body.

import {
  bodyOf,
  CONSTRUCTOR,
  checkConstructor,
  checkThis,
  integer,
  likeNative,
  readOptions,
  wrongType,
} from "../arguments.isolate.js";
import { GetResult, HeadResult, define, headResult, httpFields, members } from "./objects.isolate.js";
import {
  readChecksums,
  readConditions,
  readInclude,
  readMetadata,
  readRange,
  readSsecKey,
  text,
  wrongField,
} from "./options.isolate.js";

/** R2's codes for a key that does not exist, and for conditions that are not met. */
const NO_SUCH_KEY = 10007;
const CONDITIONS_NOT_MET = [10031, 10032];

/** Returns the bucket for the stub of a host entrypoint. */
export default function bucket(host) {
  return new R2Bucket(CONSTRUCTOR, host);
}

class R2Bucket {
  #host;

  constructor(caller, host) {
    checkConstructor(caller);
    this.#host = host;
  }

  async head(key) {
    checkThis(#host in Object(this));
    const name = requiredText("head", "R2Bucket", arguments);
    const { status, error, response } = await send(this.#host, { method: "head", object: name });
    if (isAbsent(status, error)) return null;
    throwIfError("head", error);
    return headResult(await response.json());
  }

  async get(key, options) {
    checkThis(#host in Object(this));
    const name = requiredText("get", "R2Bucket", arguments);
    const { onlyIf, range, ssecKey } = readOptions("get", "R2Bucket", 2, "GetOptions", options);
    const request = { method: "get", object: name, ...readConditions("GetOptions", onlyIf) };
    Object.assign(request, readRange(range), readSsecKey(ssecKey));
    const { status, error, response } = await send(this.#host, request);
    if (isAbsent(status, error)) return null;
    const metadata = () => JSON.parse(response.headers.get("cf-r2-metadata"));
    if (isConditionFailed(status, error)) return headResult(metadata());
    throwIfError("get", error);
    return new GetResult(CONSTRUCTOR, members(metadata(), true, true), response);
  }

  async put(key, value, options) {
    checkThis(#host in Object(this));
    const name = requiredText("put", "R2Bucket", arguments);
    if (arguments.length < 2) throw wrongValue("put", "R2Bucket");
    const body = value === null || value === undefined ? null : readValue("put", "R2Bucket", value);
    const given = readOptions("put", "R2Bucket", 3, "PutOptions", options);
    const conditions = readConditions("PutOptions", given.onlyIf);
    const { request, httpMetadata, customMetadata } = readMetadata("PutOptions", given);
    Object.assign(request, { method: "put", object: name }, conditions, readChecksums(given), readSsecKey(given.ssecKey));
    const { status, error, response } = await send(this.#host, request, body);
    if (isConditionFailed(status, error)) return null;
    throwIfError("put", error);
    const stored = members(await response.json(), true, true);
    // The storage does not return them.
    return new HeadResult(CONSTRUCTOR, { ...stored, httpMetadata: httpFields(httpMetadata), customMetadata });
  }

  async delete(keys) {
    checkThis(#host in Object(this));
    if (arguments.length < 1) throw wrongType("delete", "R2Bucket", 1, "string or Array");
    const selected = Array.isArray(keys) ? { objects: keys.map(text) } : { object: text(keys) };
    const { status, error } = await send(this.#host, { method: "delete", ...selected }, null);
    if (!isAbsent(status, error)) throwIfError("delete", error);
  }

  async list(options) {
    checkThis(#host in Object(this));
    const given = readOptions("list", "R2Bucket", 1, "ListOptions", options);
    const request = { method: "list", newRuntime: true };
    const limit = given.limit === undefined ? -1 : integer(given.limit);
    // The runtime sends 32 bits, of which -1 is the default.
    if (limit !== -1) request.limit = limit >>> 0;
    for (const field of ["prefix", "cursor", "delimiter", "startAfter"]) {
      if (given[field] === undefined) continue;
      if (typeof given[field] !== "string") throw wrongField(field, "ListOptions", "string");
      request[field] = given[field];
    }
    request.include = readInclude(given.include);
    const { error, response } = await send(this.#host, request);
    throwIfError("list", error);
    const { objects, truncated, cursor, delimitedPrefixes } = await response.json();
    const [withHttp, withCustom] = [0, 1].map((field) => request.include.includes(field));
    return {
      objects: objects.map((object) => new HeadResult(CONSTRUCTOR, members(object, withHttp, withCustom))),
      truncated,
      cursor,
      delimitedPrefixes: delimitedPrefixes ?? [],
    };
  }

  async createMultipartUpload(key, options) {
    checkThis(#host in Object(this));
    const name = requiredText("createMultipartUpload", "R2Bucket", arguments);
    const given = readOptions("createMultipartUpload", "R2Bucket", 2, "MultipartOptions", options);
    const { request } = readMetadata("MultipartOptions", given);
    Object.assign(request, { method: "createMultipartUpload", object: name }, readSsecKey(given.ssecKey));
    const { error, response } = await send(this.#host, request, null);
    throwIfError("createMultipartUpload", error);
    const { uploadId } = await response.json();
    return new R2MultipartUpload(CONSTRUCTOR, this.#host, name, uploadId);
  }

  resumeMultipartUpload(key, uploadId) {
    checkThis(#host in Object(this));
    const name = requiredText("resumeMultipartUpload", "R2Bucket", arguments);
    if (arguments.length < 2) throw wrongType("resumeMultipartUpload", "R2Bucket", 2, "string");
    return new R2MultipartUpload(CONSTRUCTOR, this.#host, name, text(uploadId));
  }
}

class R2MultipartUpload {
  #host;

  constructor(caller, host, key, uploadId) {
    checkConstructor(caller);
    this.#host = host;
    define(this, { uploadId, key });
  }

  async uploadPart(partNumber, value, options) {
    checkThis(#host in Object(this));
    if (arguments.length < 1) throw wrongType("uploadPart", "R2MultipartUpload", 1, "integer");
    const part = integer(partNumber);
    if (arguments.length < 2) throw wrongValue("uploadPart", "R2MultipartUpload");
    const body = readValue("uploadPart", "R2MultipartUpload", value);
    const { ssecKey } = readOptions("uploadPart", "R2MultipartUpload", 3, "UploadPartOptions", options);
    checkPartNumber(part);
    const request = { method: "uploadPart", ...this.#address(), partNumber: part, ...readSsecKey(ssecKey) };
    const { error, response } = await send(this.#host, request, body);
    throwIfError("uploadPart", error);
    const { etag } = await response.json();
    return { partNumber: part, etag };
  }

  async complete(uploadedParts) {
    checkThis(#host in Object(this));
    if (!Array.isArray(uploadedParts)) throw wrongType("complete", "R2MultipartUpload", 1, "Array");
    const parts = uploadedParts.map(({ partNumber, etag }) => ({ part: integer(partNumber), etag: text(etag) }));
    for (const { part } of parts) checkPartNumber(part);
    const { error, response } = await send(this.#host, { method: "completeMultipartUpload", ...this.#address(), parts }, null);
    throwIfError("completeMultipartUpload", error);
    return headResult(await response.json());
  }

  async abort() {
    checkThis(#host in Object(this));
    const { status, error } = await send(this.#host, { method: "abortMultipartUpload", ...this.#address() }, null);
    if (!isAbsent(status, error)) throwIfError("abortMultipartUpload", error);
  }

  #address() {
    return { object: this.key, uploadId: this.uploadId };
  }
}

likeNative(R2Bucket);
likeNative(R2MultipartUpload);

/**
 * Sends a request to the bucket: its result, or R2's error. `body` is `undefined` for a request that reads, and `null` for one that changes
 * something without a value.
 */
async function send(host, request, body) {
  const headers = { "cf-r2-request": asciiJson(request) };
  const init = body === undefined ? { headers } : { method: "PUT", headers, body };
  const response = await host.fetch("https://fake-host/", init);
  const { status } = response;
  if (status === 411) {
    throw new TypeError(
      "Provided readable stream must have a known length (request/response body or readable half of FixedLengthStream)",
    );
  }
  if (status < 400) return { status, error: null, response };
  const error = JSON.parse(response.headers.get("cf-r2-error") ?? '{"v4code":0,"message":"Unspecified error"}');
  return { status, error, response };
}

/** JSON that can be the value of a header. */
function asciiJson(value) {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function isAbsent(status, error) {
  return status === 404 && error?.v4code === NO_SUCH_KEY;
}

function isConditionFailed(status, error) {
  return status === 412 && CONDITIONS_NOT_MET.includes(error?.v4code);
}

function throwIfError(action, error) {
  if (error !== null) throw new Error(`${action}: ${error.message} (${error.v4code})`);
}

function readValue(method, type, value) {
  const body = value instanceof Blob ? value : bodyOf(value);
  if (body !== undefined) return body;
  throw wrongValue(method, type);
}

function checkPartNumber(number) {
  if (number >= 1 && number <= 10000) return;
  throw new TypeError(`Part number must be between 1 and 10000 (inclusive). Actual value was: ${number}`);
}

function requiredText(method, type, given) {
  if (given.length < 1) throw wrongType(method, type, 1, "string");
  return text(given[0]);
}

function wrongValue(method, type) {
  return wrongType(method, type, 2, "JsReadableStream or ArrayBuffer or ArrayBufferView or string or Blob");
}
