// Reads the options of the methods of R2 buckets, with the checks and the messages of the runtime.
import { copyBytes, isBytes, isObject } from "../arguments.isolate.js";

/** The members of HTTP metadata and their headers. */
export const HTTP_FIELDS = {
  contentType: "content-type",
  contentLanguage: "content-language",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  cacheControl: "cache-control",
  cacheExpiry: "expires",
};
/** The algorithms by their members: their names, and the lengths of their results in bytes. */
export const CHECKSUMS = {
  md5: ["MD5", 16],
  sha1: ["SHA-1", 20],
  sha256: ["SHA-256", 32],
  sha384: ["SHA-384", 48],
  sha512: ["SHA-512", 64],
};

/** Reads the metadata of an upload: what the request has, and what the result repeats. */
export function readMetadata(type, { httpMetadata, customMetadata, storageClass }) {
  const http = readHttpMetadata(type, httpMetadata);
  const custom = readCustomMetadata(type, customMetadata);
  const request = {};
  if (customMetadata !== undefined) request.customFields = Object.entries(custom).map(([k, v]) => ({ k, v }));
  if (httpMetadata !== undefined) request.httpFields = { ...http };
  if (http.cacheExpiry) request.httpFields.cacheExpiry = String(http.cacheExpiry.getTime());
  if (storageClass !== undefined) request.storageClass = text(storageClass);
  return { request, httpMetadata: http, customMetadata: custom };
}

function readHttpMetadata(type, given) {
  if (given === undefined || given === null) return {};
  if (!isObject(given)) throw wrongField("httpMetadata", type, "HttpMetadata or Headers");
  const found = {};
  for (const [field, header] of Object.entries(HTTP_FIELDS)) {
    const value = given instanceof Headers ? (given.get(header) ?? undefined) : given[field];
    if (value === undefined) continue;
    if (field !== "cacheExpiry") found[field] = text(value);
    else found[field] = given instanceof Headers ? new Date(value) : date(field, "HttpMetadata", value);
  }
  return found;
}

function readCustomMetadata(type, given) {
  if (given === undefined) return {};
  if (!isObject(given) || Array.isArray(given)) throw wrongField("customMetadata", type, "object");
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, text(value)]));
}

/** The checksum of a value, of which there may be one. */
export function readChecksums(options) {
  let found;
  for (const field of Object.keys(CHECKSUMS)) {
    const value = options[field];
    if (value !== undefined && typeof value !== "string" && !isBytes(value)) {
      throw wrongField(field, "PutOptions", "BufferSource or string");
    }
  }
  for (const [field, [name, length]] of Object.entries(CHECKSUMS)) {
    const value = options[field];
    if (value === undefined) continue;
    if (found) throw new TypeError("You cannot specify multiple hashing algorithms.");
    const bytes = typeof value === "string" ? readHex(name, length, value) : copyBytes(value);
    if (bytes.byteLength !== length) throw new TypeError(`${name} is ${length} bytes, not ${bytes.byteLength}`);
    found = { [field]: field === "md5" ? btoa(String.fromCharCode(...bytes)) : toHex(bytes) };
  }
  return found ?? {};
}

function readHex(name, length, digits) {
  if (digits.length !== length * 2) throw new TypeError(`${name} is ${length * 2} hex characters, not ${digits.length}`);
  if (!/^[0-9a-f]*$/i.test(digits)) throw new TypeError(`Provided ${name} wasn't a valid hex string`);
  return fromHex(digits);
}

/** The key of an object that the client encrypts. miniflare ignores it. */
export function readSsecKey(key) {
  if (key === undefined) return {};
  const digits = isBytes(key) ? toHex(copyBytes(key)) : text(key);
  if (!/^[0-9a-f]+$/.test(digits)) throw new Error("SSE-C Key has invalid format");
  if (digits.length !== 64) throw new Error("SSE-C Key must be 32 bytes in length");
  return { ssec: { key: digits } };
}

/** The bytes to read. */
export function readRange(range) {
  if (range === undefined || range === null) return {};
  if (range instanceof Headers) {
    const header = range.get("range");
    return header === null ? {} : { rangeHeader: header };
  }
  if (!isObject(range)) throw wrongField("range", "GetOptions", "Range or Headers");
  const [offset, length, suffix] = [range.offset, range.length, range.suffix].map((value) => (value === undefined ? value : Number(value)));
  const found = {};
  if (offset !== undefined) found.offset = wholeNumber("Invalid range. Starting offset", "Invalid range. Starting offset", offset);
  if (length !== undefined) found.length = wholeNumber("Invalid range. Length", "Invalid range. Length", length);
  if (suffix !== undefined) {
    if (offset !== undefined) throw new TypeError("Suffix is incompatible with offset.");
    if (length !== undefined) throw new TypeError("Suffix is incompatible with length.");
    found.suffix = wholeNumber("Invalid suffix. Suffix", "Invalid range. Suffix", suffix);
  }
  return { range: found };
}

function wholeNumber(negative, fractional, number) {
  const shown = Number.isNaN(number) ? "nan" : number;
  if (!(number >= 0)) throw new RangeError(`${negative} (${shown}) must be greater than or equal to 0.`);
  if (!Number.isInteger(number)) throw new RangeError(`${fractional} (${shown}) must be an integer, not floating point.`);
  return String(number);
}

/** The conditions of a request. */
export function readConditions(type, onlyIf) {
  if (onlyIf === undefined || onlyIf === null) return {};
  if (!isObject(onlyIf)) throw wrongField("onlyIf", type, "Conditional or Headers");
  const conditions = onlyIf instanceof Headers ? conditionsOfHeaders(onlyIf) : conditionsOfObject(onlyIf);
  for (const field of ["uploadedBefore", "uploadedAfter"]) {
    if (conditions[field] === undefined) delete conditions[field];
    // The runtime sends an invalid date as 0.
    else conditions[field] = String(conditions[field].getTime() || 0);
  }
  return { onlyIf: conditions };
}

function conditionsOfObject({ etagMatches, etagDoesNotMatch, uploadedBefore, uploadedAfter, secondsGranularity }) {
  const conditions = {};
  const etags = Object.entries({ etagMatches, etagDoesNotMatch }).filter(([, etag]) => etag !== undefined);
  for (const [field, etag] of etags) {
    if (typeof etag !== "string") throw wrongField(field, "Conditional", "string");
  }
  for (const [field, value] of Object.entries({ uploadedBefore, uploadedAfter })) {
    if (value !== undefined) conditions[field] = date(field, "Conditional", value);
  }
  for (const [field, etag] of etags) {
    if (etag.startsWith('"') && etag.endsWith('"')) {
      throw new TypeError(`Conditional ETag should not be wrapped in quotes (${etag}).`);
    }
    conditions[field] = [etag === "*" ? { type: "wildcard" } : { type: "strong", value: etag }];
  }
  if (secondsGranularity) conditions.secondsGranularity = true;
  return conditions;
}

function conditionsOfHeaders(headers) {
  const conditions = { secondsGranularity: true };
  for (const [field, name] of [["etagMatches", "if-match"], ["etagDoesNotMatch", "if-none-match"]]) {
    const header = headers.get(name);
    if (header === null) continue;
    conditions[field] = readEtags(header);
    if (conditions[field].length === 0) throw new Error(`Invalid ETag in ${name} header`);
  }
  for (const [field, name] of [["uploadedAfter", "if-modified-since"], ["uploadedBefore", "if-unmodified-since"]]) {
    const header = headers.get(name);
    if (header !== null) conditions[field] = new Date(header);
  }
  return conditions;
}

/** Reads a list of etags as the runtime does: it stops at the first character that begins none. */
function readEtags(header) {
  const found = [];
  let rest = header;
  let needsComma = false;
  const between = (character, otherwise = "") => {
    if (!needsComma) return;
    throw new Error(`Comma was expected to separate etags. Encountered a ${character} instead.${otherwise}`);
  };
  for (;;) {
    rest = rest.replace(/^[ \t]+/, "");
    if (rest.startsWith(",")) {
      rest = rest.slice(1);
      needsComma = false;
      continue;
    }
    if (rest.startsWith("*")) {
      between("wildcard character '*'");
      return [{ type: "wildcard" }];
    }
    if (rest.startsWith("W")) {
      between("weak quotation character 'W'", " This would otherwise indicate the start of a new weak etag.");
      if (!rest.startsWith('W/"')) throw new Error("Weak etags must start with W/ and their value must be quoted");
    } else if (rest.startsWith('"')) {
      between("double quote character '\"'", " This would otherwise indicate the start of a new strong etag.");
    } else {
      return found;
    }
    const start = rest.indexOf('"') + 1;
    const end = rest.indexOf('"', start);
    if (end === -1) throw new Error("Unclosed double quote for Etag");
    found.push({ type: rest.startsWith("W") ? "weak" : "strong", value: rest.slice(start, end) });
    rest = rest.slice(end + 1);
    needsComma = true;
  }
}

/** The optional fields of a list as numbers: 0 is `httpMetadata`, 1 is `customMetadata`. */
export function readInclude(include) {
  if (include === undefined) return [];
  if (!Array.isArray(include)) throw wrongField("include", "ListOptions", "Array");
  return include.map((field) => {
    const index = ["httpMetadata", "customMetadata"].indexOf(field);
    if (index === -1) throw new RangeError(`Unsupported include value ${field}`);
    return index;
  });
}

/** The text of a value, as the runtime converts arguments. A symbol has none. The bytes of a lone surrogate are no UTF-8. */
export function text(value) {
  const converted = `${value}`;
  if (converted.isWellFormed()) return converted;
  return [...converted].map((character) => (character.isWellFormed() ? character : "\ufffd\ufffd\ufffd")).join("");
}

function date(field, type, value) {
  if (!(value instanceof Date) && typeof value !== "number") throw wrongField(field, type, "date");
  const converted = new Date(value);
  if (!Number.isNaN(converted.getTime())) return converted;
  throw new TypeError("The value cannot be converted because it is not a valid Date.");
}

function toHex(bytes) {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The bytes of hexadecimal digits. */
export function fromHex(digits) {
  return digits === undefined ? undefined : Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The error for a member of options of the wrong type. */
export function wrongField(field, type, expected) {
  return new TypeError(`Incorrect type for the '${field}' field on '${type}': the provided value is not of type '${expected}'.`);
}

// Every `*.isolate.js` is imported as a text. Without a default export, the unit tests on Node cannot import it.
export default undefined;
