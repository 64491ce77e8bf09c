// The objects of an R2 bucket that a script sees, and what their metadata is in the storage's JSON.
import { CONSTRUCTOR, checkConstructor, likeNative, wrongType } from "../arguments.isolate.js";
import { CHECKSUMS, HTTP_FIELDS, fromHex } from "./options.isolate.js";

/** The metadata of an object. */
export class HeadResult {
  constructor(caller, members) {
    checkConstructor(caller);
    define(this, members);
  }

  writeHttpMetadata(headers) {
    if (!(headers instanceof Headers)) throw wrongType("writeHttpMetadata", "HeadResult", 1, "Headers");
    if (this.httpMetadata === undefined) {
      throw new TypeError(
        `HTTP metadata unknown for key \`${this.key}\`. Did you forget to add 'httpMetadata' to \`include\` when listing?`,
      );
    }
    for (const [field, header] of Object.entries(HTTP_FIELDS)) {
      const value = this.httpMetadata[field];
      if (value !== undefined) headers.set(header, value instanceof Date ? value.toUTCString() : value);
    }
  }
}

/** An object with its body, which is that of a response. */
export class GetResult extends HeadResult {
  #response;

  constructor(caller, members, response) {
    super(caller, members);
    this.#response = response;
  }

  get body() {
    return this.#response.body;
  }

  get bodyUsed() {
    return this.#response.bodyUsed;
  }

  arrayBuffer() {
    return this.#response.arrayBuffer();
  }

  bytes() {
    return this.#response.bytes();
  }

  text() {
    return this.#response.text();
  }

  json() {
    return this.#response.json();
  }

  async blob() {
    return new Blob([await this.#response.arrayBuffer()], { type: this.httpMetadata.contentType ?? "" });
  }
}

class Checksums {
  #hex;

  constructor(caller, hex) {
    checkConstructor(caller);
    this.#hex = hex;
    define(this, Object.fromEntries(Object.entries(hex).map(([field, digits]) => [field, fromHex(digits)?.buffer]).reverse()));
  }

  toJSON() {
    return { ...this.#hex };
  }
}

for (const type of [HeadResult, GetResult, Checksums]) likeNative(type);

/** An object without its body. */
export function headResult(object) {
  return new HeadResult(CONSTRUCTOR, members(object, true, true));
}

/** The members of an object from the storage's JSON, in the order in which the runtime defines them. */
export function members(object, withHttp, withCustom) {
  const { name: key, version, size, etag, uploaded, httpFields: http, customFields: custom, range, checksums = {} } = object;
  const hex = Object.fromEntries(Object.keys(CHECKSUMS).map((field, index) => [field, checksums[index]]));
  return {
    ssecKeyMd5: object.ssec?.keyMd5,
    storageClass: object.storageClass ?? "",
    range: range === undefined ? undefined : { offset: range.offset, length: range.length, suffix: undefined },
    customMetadata: custom || withCustom ? Object.fromEntries((custom ?? []).map(({ k, v }) => [k, v])) : undefined,
    httpMetadata: http || withHttp ? httpFields(http ?? {}) : undefined,
    uploaded: new Date(uploaded),
    checksums: new Checksums(CONSTRUCTOR, hex),
    httpEtag: `"${etag}"`,
    etag,
    size,
    version,
    key,
  };
}

/** HTTP metadata with all members, of which some are undefined. */
export function httpFields(fields) {
  const found = Object.fromEntries(Object.keys(HTTP_FIELDS).map((field) => [field, fields[field]]));
  if (found.cacheExpiry !== undefined) found.cacheExpiry = new Date(found.cacheExpiry);
  return found;
}

/** Defines members that cannot be changed. */
export function define(object, members) {
  for (const [name, value] of Object.entries(members)) Object.defineProperty(object, name, { value, enumerable: true });
}

// Every `*.isolate.js` is imported as a text. Without a default export, the unit tests on Node cannot import it.
export default undefined;
