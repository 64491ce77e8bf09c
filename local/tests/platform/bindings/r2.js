import { chunks, describe, results, sized, valuesOfManyTypes } from "./results.js";

const TEXT = "0123456789abcdefghij";
const MD5 = "8f1f4f4bd37d8f1e4a08f0a1ba0ef9b5";
const DAY = 86_400_000;

/** All operations, in the order in which they run. `bucket` is empty. */
function operations(bucket) {
  return [
    ...shape(bucket),
    ...keys(bucket),
    ...values(bucket),
    ...bodies(bucket),
    ...metadata(bucket),
    ...checksums(bucket),
    ...ranges(bucket),
    ...conditions(bucket),
    ...lists(bucket),
    ...deletes(bucket),
    ...multipart(bucket),
  ];
}

/** An object without what differs by nature: its version and the time of its upload. */
async function object(value) {
  if (value === null || value === undefined) return value;
  const { version, uploaded, checksums, body } = value;
  return {
    tag: Object.prototype.toString.call(value),
    class: value.constructor.name,
    own: Object.keys(value),
    key: value.key,
    version: /^[0-9a-f]{32}$/.test(version),
    size: value.size,
    etag: value.etag,
    httpEtag: value.httpEtag,
    uploaded: uploaded instanceof Date && Math.abs(uploaded - Date.now()) < 600_000,
    httpMetadata: await describe(value.httpMetadata),
    customMetadata: await describe(value.customMetadata),
    range: await describe(value.range),
    storageClass: value.storageClass,
    ssecKeyMd5: await describe(value.ssecKeyMd5),
    checksums: [checksums.constructor.name, checksums.toJSON(), await describe(checksums.md5)],
    ...(body === undefined ? {} : { body: await describe(body) }),
  };
}

function shape(bucket) {
  const members = ["head", "get", "put", "delete", "list", "createMultipartUpload", "resumeMultipartUpload"];
  return [
    ["the tag of the bucket", () => Object.prototype.toString.call(bucket)],
    ["the name of the class", () => bucket.constructor.name],
    ["own members", () => Object.keys(bucket)],
    ...members.map((member) => [`the name of ${member}`, () => bucket[member].name]),
    ["the prototype's members", () => Object.getOwnPropertyNames(Object.getPrototypeOf(bucket)).sort()],
    ["the enumerable members", () => {
      const found = [];
      for (const member in bucket) found.push(member);
      return found.sort();
    }],
    ["the class cannot be constructed", () => new bucket.constructor()],
    ["JSON of the bucket", () => JSON.stringify(bucket)],
    ["a method without its object", () => (0, bucket.get)("a")],
    ["the members of an object", async () => {
      const head = await bucket.put("shape", "x");
      const got = await bucket.get("shape");
      await bucket.delete("shape");
      return [head, got].map((value) => {
        const prototypes = [];
        for (let prototype = Object.getPrototypeOf(value); prototype; prototype = Object.getPrototypeOf(prototype)) {
          prototypes.push([prototype.constructor.name, Object.getOwnPropertyNames(prototype).sort()]);
        }
        return prototypes.slice(0, -1);
      });
    }],
    ["JSON of an object", async () => {
      const put = JSON.parse(JSON.stringify(await bucket.put("shape", "x", { customMetadata: { a: "b" } })));
      const got = JSON.parse(JSON.stringify(await bucket.get("shape")));
      await bucket.delete("shape");
      return [put, got].map((value) => ({ ...value, version: typeof value.version, uploaded: typeof value.uploaded }));
    }],
  ];
}

function keys(bucket) {
  const names = {
    plain: "plain",
    "with slashes": "/a//b/",
    "with a space": "a b",
    "with a percent sign": "100%25",
    "with a question mark": "a?b=c#d",
    "with a line break": "a\nb",
    "with umlauts": "äöü 🦊",
    empty: "",
    "a dot": ".",
    "two dots": "..",
    "a quote": `"'\\`,
    "1024 bytes": "k".repeat(1024),
    "of the prototype": "__proto__",
    "with a lone surrogate": "a\ud800b",
  };
  const coerced = { "a number": 12, null: null, undefined, "an object": {}, "a bigint": 7n };
  return [
    ...Object.entries(names).flatMap(([label, key]) => [
      [`put a key ${label}`, async () => object(await bucket.put(key, label))],
      [`get a key ${label}`, async () => object(await bucket.get(key))],
      [`head of a key ${label}`, async () => object(await bucket.head(key))],
    ]),
    ["list of all keys", async () => (await bucket.list()).objects.map(({ key }) => key)],
    ["delete all keys", () => bucket.delete(Object.values(names))],
    ["list after the delete", () => bucket.list()],
    ["put a key of 1025 bytes", () => bucket.put("k".repeat(1025), "x")],
    ["get a key of 1025 bytes", () => bucket.get("k".repeat(1025))],
    ["head of a key of 1025 bytes", () => bucket.head("k".repeat(1025))],
    ["delete a key of 1025 bytes", () => bucket.delete("k".repeat(1025))],
    ...Object.entries(coerced).flatMap(([label, key]) => [
      [`put a key that is ${label}`, async () => object(await bucket.put(key, "x"))],
      [`get a key that is ${label}`, async () => object(await bucket.get(key))],
      [`delete a key that is ${label}`, () => bucket.delete(key)],
    ]),
    ["get a symbol", () => bucket.get(Symbol("s"))],
    ...["head", "get", "put", "delete", "createMultipartUpload", "resumeMultipartUpload"].map((method) => [
      `${method} without arguments`,
      () => bucket[method](),
    ]),
    ["put without a value", () => bucket.put("a")],
    ["resumeMultipartUpload without an id", () => bucket.resumeMultipartUpload("a")],
    ["get of an absent key", () => bucket.get("absent")],
    ["head of an absent key", () => bucket.head("absent")],
    ["errors are rejections", () => describe(bucket.get("k".repeat(1025)).catch(() => {}) instanceof Promise)],
  ];
}

function values(bucket) {
  const values = {
    ...valuesOfManyTypes(),
    "a boolean": true,
    "an array": [1],
    "a Blob": new Blob(["blob"], { type: "text/plain" }),
    "an empty Blob": new Blob([]),
    "a part of a Blob": new Blob(["0123456789"]).slice(2, 5),
    "a File": new File(["file"], "name.txt"),
  };
  return [
    ...Object.entries(values).flatMap(([label, value]) => [
      [`put ${label}`, async () => object(await bucket.put(`value ${label}`, value))],
      [`get ${label}`, async () => object(await bucket.get(`value ${label}`))],
    ]),
    ["put a stream with a known length", async () => object(await bucket.put("sized", sized("known")))],
    ["get what a stream with a known length stored", async () => (await bucket.get("sized")).text()],
    ["put a FixedLengthStream", async () => {
      const { readable, writable } = new FixedLengthStream(5);
      const [put] = await Promise.all([
        bucket.put("fixed", readable),
        (async () => {
          const writer = writable.getWriter();
          await writer.write(new TextEncoder().encode("fixed"));
          await writer.close();
        })(),
      ]);
      return await object(put);
    }],
    ["put a stream without a length", () => bucket.put("unsized", chunks("a", "b"))],
    ["put a TransformStream without a length", () => bucket.put("unsized", sized("x").pipeThrough(new TransformStream()))],
    ["a stream without a length stores nothing", () => bucket.head("unsized")],
    ["put a locked stream", () => {
      const { body } = new Response("x");
      body.getReader();
      return bucket.put("locked", body);
    }],
    ["put a large text", async () => object(await bucket.put("large", "0123456789".repeat(300_000)))],
    ["get a large text", async () => object(await bucket.get("large"))],
    ["put a body", async () => object(await bucket.put("copy", (await bucket.get("large")).body))],
    ["get a copy", async () => object(await bucket.get("copy"))],
    ["overwrite", async () => {
      const first = await bucket.put("twice", "first", { customMetadata: { a: "1" } });
      const second = await bucket.put("twice", "second");
      return [first.version !== second.version, await object(await bucket.get("twice"))];
    }],
    ["twenty puts at once", async () => {
      await Promise.all(Array.from({ length: 20 }, (_, index) => bucket.put(`at once ${index}`, String(index))));
      return await Promise.all(
        Array.from({ length: 20 }, async (_, index) => (await bucket.get(`at once ${index}`)).text()),
      );
    }],
  ];
}

function bodies(bucket) {
  return [
    ["put JSON", async () => object(await bucket.put("json", '{"a":[1,null]}', { httpMetadata: { contentType: "application/json" } }))],
    ["text()", async () => (await bucket.get("json")).text()],
    ["json()", async () => (await bucket.get("json")).json()],
    ["arrayBuffer()", async () => (await bucket.get("json")).arrayBuffer()],
    ["bytes()", async () => (await bucket.get("json")).bytes()],
    ["blob()", async () => (await bucket.get("json")).blob()],
    ["blob() without a content type", async () => {
      await bucket.put("plain", "x");
      return await (await bucket.get("plain")).blob();
    }],
    ["text() of a byte-order mark", async () => {
      await bucket.put("mark", "\ufeffa");
      return await (await bucket.get("mark")).text();
    }],
    ["json() of what is not JSON", async () => {
      await bucket.put("not json", "{a");
      return await (await bucket.get("not json")).json();
    }],
    ["bodyUsed", async () => {
      const got = await bucket.get("json");
      const before = got.bodyUsed;
      await got.text();
      return [before, got.bodyUsed];
    }],
    ["text() twice", async () => {
      const got = await bucket.get("json");
      await got.text();
      return await got.text();
    }],
    ["arrayBuffer() after text()", async () => {
      const got = await bucket.get("json");
      await got.text();
      return await got.arrayBuffer();
    }],
    ["a reader of the body", async () => {
      const { body } = await bucket.get("json");
      const reader = body.getReader({ mode: "byob" });
      return await reader.read(new Uint8Array(4));
    }],
    ["the body is one stream", async () => {
      const got = await bucket.get("json");
      return got.body === got.body;
    }],
    ["a Response of a body", async () => {
      const response = new Response((await bucket.get("json")).body);
      return [response.headers.get("content-length"), await response.text()];
    }],
    ["a cancelled body", async () => (await bucket.get("large")).body.cancel()],
    ["tee of a body", async () => {
      const [one, two] = (await bucket.get("json")).body.tee();
      return await Promise.all([new Response(one).text(), new Response(two).text()]);
    }],
    ["the body of an empty object", async () => {
      await bucket.put("empty", "");
      const got = await bucket.get("empty");
      return [await describe(got.body), got.size];
    }],
    ["head has no body", async () => "body" in (await bucket.head("json"))],
  ];
}

function metadata(bucket) {
  const all = {
    contentType: "text/css",
    contentLanguage: "de",
    contentDisposition: 'attachment; filename="ä.css"',
    contentEncoding: "gzip",
    cacheControl: "max-age=60",
    cacheExpiry: new Date(2_000_000_000_000),
  };
  const http = {
    all,
    "a content type": { contentType: "text/plain" },
    "an empty object": {},
    "unknown members": { contentType: "text/plain", colour: "red" },
    "a number as content type": { contentType: 7 },
    "a null content type": { contentType: null },
    "an expiry as text": { cacheExpiry: "2033-05-18T03:33:20Z" },
    "an expiry as number": { cacheExpiry: 2_000_000_000_000 },
    "an invalid expiry": { cacheExpiry: "soon" },
    Headers: new Headers({
      "content-type": "image/png",
      "content-language": "fr",
      "content-disposition": "inline",
      "content-encoding": "br",
      "cache-control": "no-store",
      expires: "Wed, 18 May 2033 03:33:20 GMT",
      "x-other": "ignored",
    }),
    "empty Headers": new Headers(),
    null: null,
    "a text": "text/plain",
  };
  const custom = {
    members: { a: "1", B: "zwei", "with space": "äöü 🦊" },
    "an empty object": {},
    "numbers": { a: 1, b: null, c: undefined },
    "nested": { a: { b: 1 } },
    "an array": ["x"],
    "a text": "text",
    null: null,
    "8192 bytes": { a: "m".repeat(8191) },
    "8193 bytes": { a: "m".repeat(8192) },
    "4096 characters beyond Latin-1": { a: "ł".repeat(4095) },
    "4097 characters beyond Latin-1": { a: "ł".repeat(4096) },
  };
  return [
    ...Object.entries(http).flatMap(([label, httpMetadata]) => [
      [`put with httpMetadata, ${label}`, async () => object(await bucket.put(`http ${label}`, "x", { httpMetadata }))],
      [`head with httpMetadata, ${label}`, async () => object(await bucket.head(`http ${label}`))],
      [`writeHttpMetadata, ${label}`, async () => {
        const headers = new Headers({ "content-type": "before", "x-own": "kept" });
        (await bucket.get(`http ${label}`)).writeHttpMetadata(headers);
        return headers;
      }],
    ]),
    ["writeHttpMetadata returns nothing", async () => (await bucket.get("http all")).writeHttpMetadata(new Headers())],
    ["writeHttpMetadata of a put", async () => {
      const headers = new Headers();
      (await bucket.put("http put", "x", { httpMetadata: all })).writeHttpMetadata(headers);
      return headers;
    }],
    ["writeHttpMetadata without Headers", async () => (await bucket.get("http all")).writeHttpMetadata()],
    ["writeHttpMetadata into an object", async () => (await bucket.get("http all")).writeHttpMetadata({})],
    ...Object.entries(custom).flatMap(([label, customMetadata]) => [
      [`put with customMetadata, ${label}`, async () => object(await bucket.put(`custom ${label}`, "x", { customMetadata }))],
      [`head with customMetadata, ${label}`, async () => object(await bucket.head(`custom ${label}`))],
    ]),
    ...["Standard", "InfrequentAccess", "unknown"].map((storageClass) => [
      `put with the storage class ${storageClass}`,
      async () => object(await bucket.put(`class ${storageClass}`, "x", { storageClass })),
    ]),
    ["put with null options", async () => object(await bucket.put("options", "x", null))],
    ["put with options that are a text", async () => object(await bucket.put("options", "x", "text"))],
    ["put with unknown options", async () => object(await bucket.put("options", "x", { colour: "red" }))],
    ["get with options that are a number", () => bucket.get("options", 7)],
    ["get with unknown options", async () => object(await bucket.get("options", { colour: "red" }))],
    ["get with an SSE-C key of text", async () => object(await bucket.get("options", { ssecKey: "a".repeat(64) }))],
    ["get with a short SSE-C key", () => bucket.get("options", { ssecKey: "abc" })],
    ["get with an SSE-C key that is no hex", () => bucket.get("options", { ssecKey: "z".repeat(64) })],
    ["get with a short SSE-C key of bytes", () => bucket.get("options", { ssecKey: new Uint8Array(3) })],
    ["put with an SSE-C key of bytes", async () => object(await bucket.put("ssec", "x", { ssecKey: new Uint8Array(32) }))],
  ];
}

function checksums(bucket) {
  const algorithms = { md5: "MD5", sha1: "SHA-1", sha256: "SHA-256", sha384: "SHA-384", sha512: "SHA-512" };
  const digest = async (name) => new Uint8Array(await crypto.subtle.digest(name, new TextEncoder().encode(TEXT)));
  const hex = (array) => [...array].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [
    ...Object.entries(algorithms).flatMap(([field, name]) => [
      [`put with ${field} as bytes`, async () => object(await bucket.put(field, TEXT, { [field]: await digest(name) }))],
      [`put with ${field} as an ArrayBuffer`, async () => object(await bucket.put(field, TEXT, { [field]: (await digest(name)).buffer }))],
      [`put with ${field} as hex`, async () => object(await bucket.put(field, TEXT, { [field]: hex(await digest(name)) }))],
      [`put with ${field} as upper-case hex`, async () =>
        object(await bucket.put(field, TEXT, { [field]: hex(await digest(name)).toUpperCase() }))],
      [`head after ${field}`, async () => object(await bucket.head(field))],
      [`put with another ${field}`, async () => bucket.put(field, "other", { [field]: await digest(name) })],
      [`put with a ${field} that is too short`, () => bucket.put(field, TEXT, { [field]: new Uint8Array(3) })],
      [`put with a ${field} of too few digits`, () => bucket.put(field, TEXT, { [field]: "abc" })],
      [`put with a ${field} that is no hex`, async () => bucket.put(field, TEXT, { [field]: "z".repeat((await digest(name)).length * 2) })],
      [`put with a ${field} that is a number`, () => bucket.put(field, TEXT, { [field]: 7 })],
      [`put with a ${field} that is null`, async () => object(await bucket.put(field, TEXT, { [field]: null }))],
    ]),
    ["put with two checksums", async () => bucket.put("two", TEXT, { md5: await digest("MD5"), sha1: await digest("SHA-1") })],
    ["a failed checksum stores nothing", async () => {
      await bucket.delete("checked");
      await bucket.put("checked", "x", { md5: MD5 }).catch(() => {});
      return await bucket.head("checked");
    }],
    ["the members of checksums", async () => {
      const { checksums } = await bucket.head("sha256");
      return Promise.all(Object.keys(algorithms).map((field) => describe(checksums[field])));
    }],
  ];
}

function ranges(bucket) {
  const ranges = {
    "an offset": { offset: 5 },
    "an offset and a length": { offset: 5, length: 3 },
    "a length": { length: 4 },
    "a suffix": { suffix: 6 },
    "a suffix that is too long": { suffix: 100 },
    "a suffix of 0": { suffix: 0 },
    "an offset at the end": { offset: 20 },
    "an offset beyond the end": { offset: 21 },
    "an offset of 0": { offset: 0 },
    "a length that is too long": { offset: 15, length: 100 },
    "a length of 0": { offset: 1, length: 0 },
    "a negative offset": { offset: -1 },
    "a negative length": { length: -1 },
    "a negative suffix": { suffix: -1 },
    "a fractional offset": { offset: 1.5 },
    "a fractional length": { length: 1.5 },
    "a fractional suffix": { suffix: 1.5 },
    "a suffix and an offset": { suffix: 3, offset: 1 },
    "a suffix and a length": { suffix: 3, length: 1 },
    "an offset as text": { offset: "5" },
    "an offset that is no number": { offset: "five" },
    "an empty object": {},
    null: null,
    "a text": "bytes=0-1",
    ...Object.fromEntries(
      ["bytes=2-4", "bytes=5-", "bytes=-3", "bytes=0-0", "bytes=0-99", "bytes=99-", "bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=", "nonsense", "bytes=-0"].map(
        (header) => [`the header ${header}`, new Headers({ range: header })],
      ),
    ),
    "Headers without a range": new Headers(),
  };
  return [
    ["put for ranges", async () => object(await bucket.put("ranged", TEXT))],
    ...Object.entries(ranges).map(([label, range]) => [
      `get with ${label}`,
      async () => {
        const got = await bucket.get("ranged", { range });
        return [await object(got)];
      },
    ]),
    ["get a range of an absent key", () => bucket.get("absent", { range: { offset: 1 } })],
    ["get a range of a large object", async () => {
      const got = await bucket.get("large", { range: { offset: 1_000_000, length: 500_000 } });
      return (await got.arrayBuffer()).byteLength;
    }],
  ];
}

function conditions(bucket) {
  const past = new Date(Date.now() - DAY);
  const future = new Date(Date.now() + DAY);
  const conditions = (etag) => ({
    "the etag": { etagMatches: etag },
    "another etag": { etagMatches: "other" },
    "any etag": { etagMatches: "*" },
    "not the etag": { etagDoesNotMatch: etag },
    "not another etag": { etagDoesNotMatch: "other" },
    "no etag": { etagDoesNotMatch: "*" },
    "a quoted etag": { etagMatches: `"${etag}"` },
    "not a quoted etag": { etagDoesNotMatch: `"${etag}"` },
    "a number as etag": { etagMatches: 7 },
    "uploaded before the future": { uploadedBefore: future },
    "uploaded before the past": { uploadedBefore: past },
    "uploaded after the past": { uploadedAfter: past },
    "uploaded after the future": { uploadedAfter: future },
    "in seconds": { uploadedAfter: past, secondsGranularity: true },
    "a date as number": { uploadedBefore: future.getTime() },
    "a date as text": { uploadedBefore: future.toISOString() },
    "the etag and the past": { etagMatches: etag, uploadedBefore: past },
    "an empty condition": {},
    null: null,
    "a text": "text",
    "If-Match": new Headers({ "if-match": `"${etag}"` }),
    "If-Match with another etag": new Headers({ "if-match": '"other"' }),
    "If-Match with several etags": new Headers({ "if-match": `"other", "${etag}"` }),
    "If-Match with a star": new Headers({ "if-match": "*" }),
    "If-Match without quotes": new Headers({ "if-match": etag }),
    "If-Match with a weak etag": new Headers({ "if-match": `W/"${etag}"` }),
    "If-Match without a comma": new Headers({ "if-match": `"a" "b"` }),
    "If-Match with a weak etag without a comma": new Headers({ "if-match": `"a" W/"b"` }),
    "If-Match with a star without a comma": new Headers({ "if-match": `"a" *` }),
    "If-Match with an unclosed quote": new Headers({ "if-match": `"a` }),
    "If-Match with a broken weak etag": new Headers({ "if-match": "W/a" }),
    "If-Match with empty elements": new Headers({ "if-match": `,, "${etag}",` }),
    "If-Match with a star at the end": new Headers({ "if-match": `"a", *` }),
    "If-None-Match": new Headers({ "if-none-match": `"${etag}"` }),
    "If-None-Match with a weak etag": new Headers({ "if-none-match": `W/"${etag}"` }),
    "If-None-Match with another etag": new Headers({ "if-none-match": '"other"' }),
    "If-None-Match that is invalid": new Headers({ "if-none-match": "nonsense" }),
    "If-Modified-Since the past": new Headers({ "if-modified-since": past.toUTCString() }),
    "If-Modified-Since the future": new Headers({ "if-modified-since": future.toUTCString() }),
    "If-Unmodified-Since the past": new Headers({ "if-unmodified-since": past.toUTCString() }),
    "If-Unmodified-Since the future": new Headers({ "if-unmodified-since": future.toUTCString() }),
    "If-Modified-Since that is no date": new Headers({ "if-modified-since": "soon" }),
    "If-Unmodified-Since that is no date": new Headers({ "if-unmodified-since": "soon" }),
    "an invalid date": { uploadedAfter: new Date(Number.NaN) },
    "empty Headers": new Headers(),
  });
  // The MD5 of the text.
  const etag = "2a4e9bf7b3d2d8ea76f5ee1b4fe6ac7e";
  const labels = Object.keys(conditions(etag));
  const stored = async () => (await bucket.put("conditional", TEXT)).etag;
  return [
    ...labels.map((label) => [
      `get with ${label} as condition`,
      async () => object(await bucket.get("conditional", { onlyIf: conditions(await stored())[label] })),
    ]),
    ...labels.map((label) => [
      `put with ${label} as condition`,
      async () => object(await bucket.put("conditional", TEXT, { onlyIf: conditions(await stored())[label] })),
    ]),
    ...["any etag", "no etag", "the etag", "uploaded before the past", "uploaded after the past"].map((label) => [
      `put an absent key with ${label} as condition`,
      async () => {
        await bucket.delete("conditional absent");
        return await object(await bucket.put("conditional absent", "x", { onlyIf: conditions(etag)[label] }));
      },
    ]),
    ["get an absent key with a condition", () => bucket.get("absent", { onlyIf: { etagMatches: "a" } })],
    ["get with a condition and a range", async () => {
      const onlyIf = { etagMatches: await stored() };
      return await object(await bucket.get("conditional", { onlyIf, range: { suffix: 2 } }));
    }],
    ["a failed condition keeps the value", async () => {
      await bucket.put("conditional", "other", { onlyIf: { etagMatches: "other" } });
      return await (await bucket.get("conditional")).text();
    }],
  ];
}

function lists(bucket) {
  const page = async (options) => {
    const { objects, truncated, cursor, delimitedPrefixes, ...rest } = await bucket.list(options);
    return {
      keys: objects.map(({ key }) => key),
      http: await describe(objects[0]?.httpMetadata),
      custom: await describe(objects[0]?.customMetadata),
      first: objects[0]?.constructor.name ?? null,
      truncated,
      cursor: await describe(cursor),
      delimitedPrefixes,
      rest,
    };
  };
  const options = {
    "no options": undefined,
    "empty options": {},
    null: null,
    "a text": "list/",
    "a prefix": { prefix: "list/" },
    "a prefix with a percent sign": { prefix: "list/%" },
    "an upper-case prefix": { prefix: "LIST/" },
    "a prefix that no key has": { prefix: "nothing" },
    "a null prefix": { prefix: null },
    "a number as prefix": { prefix: 7 },
    "a delimiter": { delimiter: "/" },
    "a prefix and a delimiter": { prefix: "list/", delimiter: "/" },
    "a prefix without a slash and a delimiter": { prefix: "list", delimiter: "/" },
    "an empty delimiter": { prefix: "list/", delimiter: "" },
    "a long delimiter": { prefix: "list/", delimiter: "/x" },
    "a delimiter and a limit": { prefix: "list/", delimiter: "/", limit: 2 },
    "a limit": { prefix: "list/", limit: 2 },
    "limit 0": { limit: 0 },
    "limit -1": { limit: -1 },
    "limit 1001": { limit: 1001 },
    "limit 1000": { limit: 1000 },
    "limit as text": { limit: "2" },
    "limit that is no number": { limit: "few" },
    "limit 2.9": { limit: 2.9 },
    "limit null": { limit: null },
    startAfter: { prefix: "list/", startAfter: "list/b" },
    "startAfter of a key that is not there": { startAfter: "list/b0" },
    "a cursor that is none": { cursor: "!!!" },
    "an empty cursor": { cursor: "" },
    "include httpMetadata": { prefix: "list/", include: ["httpMetadata"] },
    "include customMetadata": { prefix: "list/", include: ["customMetadata"] },
    "include both": { prefix: "list/", include: ["httpMetadata", "customMetadata"] },
    "include nothing": { prefix: "list/", include: [] },
    "include what is unknown": { include: ["colour"] },
    "include a text": { include: "httpMetadata" },
    "include null": { include: null },
  };
  const pages = async (options) => {
    const found = [];
    let cursor;
    let count = 0;
    do {
      const page = await bucket.list({ ...options, ...(cursor === undefined ? {} : { cursor }) });
      found.push([page.objects.map(({ key }) => key), page.delimitedPrefixes]);
      cursor = page.truncated ? page.cursor : undefined;
      count += 1;
    } while (cursor !== undefined && count < 50);
    return found;
  };
  return [
    ["empty the bucket", async () => {
      let page;
      do {
        page = await bucket.list();
        if (page.objects.length > 0) await bucket.delete(page.objects.map(({ key }) => key));
      } while (page.truncated);
      return await bucket.list();
    }],
    ["put for lists", async () => {
      for (const name of ["a", "b", "c/1", "c/2", "c/x/1", "d/1", "%", "_", "ä", "🦊", "Z", "e"]) {
        await bucket.put(`list/${name}`, name, { httpMetadata: { contentType: `text/${name.length}` }, customMetadata: { name } });
      }
      await bucket.put("top", "x");
    }],
    ...Object.entries(options).map(([label, option]) => [`list with ${label}`, () => page(option)]),
    ["the objects of a list", async () => Promise.all((await bucket.list({ limit: 2 })).objects.map(object))],
    ["writeHttpMetadata of a listed object", async () => {
      const [first] = (await bucket.list({ limit: 1 })).objects;
      first.writeHttpMetadata(new Headers());
    }],
    ["writeHttpMetadata of a listed object with httpMetadata", async () => {
      const [first] = (await bucket.list({ limit: 1, include: ["httpMetadata"] })).objects;
      const headers = new Headers();
      first.writeHttpMetadata(headers);
      return headers;
    }],
    ...[1, 2, 3, 5, 13, 14].flatMap((limit) => [
      [`pages of ${limit}`, () => pages({ limit })],
      [`pages of ${limit} with a delimiter`, () => pages({ limit, prefix: "list/", delimiter: "/" })],
    ]),
    ["150 objects with metadata", async () => {
      await Promise.all(Array.from({ length: 150 }, (_, index) => bucket.put(`many/${String(index).padStart(3, "0")}`, "x")));
      const { objects, truncated } = await bucket.list({ prefix: "many/", include: ["customMetadata"] });
      const all = await bucket.list({ prefix: "many/" });
      return [objects.length, truncated, all.objects.length, all.truncated];
    }],
  ];
}

function deletes(bucket) {
  return [
    ["delete", async () => {
      await bucket.put("deleted", "x");
      const nothing = await bucket.delete("deleted");
      return [await describe(nothing), await bucket.get("deleted"), await bucket.head("deleted")];
    }],
    ["delete of an absent key", () => bucket.delete("absent")],
    ["delete of several keys", async () => {
      await Promise.all(["d1", "d2", "d3"].map((key) => bucket.put(key, "x")));
      await bucket.delete(["d1", "d3", "absent"]);
      return (await bucket.list({ prefix: "d" })).objects.map(({ key }) => key);
    }],
    ["delete of no keys", () => bucket.delete([])],
    ["delete of 1000 keys", () => bucket.delete(Array.from({ length: 1000 }, (_, index) => `many/${index}`))],
    ["delete of 1001 keys", () => bucket.delete(Array.from({ length: 1001 }, (_, index) => `many/${index}`))],
    ["delete of keys that are numbers", () => bucket.delete([1, 2])],
  ];
}

function multipart(bucket) {
  const part = 5 * 1024 * 1024;
  const filled = (length, byte) => new Uint8Array(length).fill(byte);
  const parts = (list) => list.map(({ partNumber, etag }) => [partNumber, typeof etag]);
  let upload;
  let uploaded;
  return [
    ["createMultipartUpload", async () => {
      upload = await bucket.createMultipartUpload("multi", {
        httpMetadata: { contentType: "text/x" },
        customMetadata: { a: "b" },
        storageClass: "Standard",
      });
      return [upload.constructor.name, Object.prototype.toString.call(upload), upload.key, typeof upload.uploadId, Object.keys(upload)];
    }],
    ["the members of an upload", () => Object.getOwnPropertyNames(Object.getPrototypeOf(upload)).sort()],
    ["uploadPart", async () => {
      uploaded = [
        await upload.uploadPart(1, filled(part, 1)),
        await upload.uploadPart(2, filled(part, 2).buffer),
        await upload.uploadPart(3, "the end"),
      ];
      return parts(uploaded);
    }],
    ["the upload is not an object yet", () => bucket.head("multi")],
    ...[0, 10_001, -1, "1", "one", 1.5].map((number) => [
      `uploadPart with the number ${JSON.stringify(number)}`,
      async () => parts([await upload.uploadPart(number, filled(part, 1))]),
    ]),
    ["uploadPart without arguments", () => upload.uploadPart()],
    ["uploadPart without a value", () => upload.uploadPart(1)],
    ["uploadPart of a number", () => upload.uploadPart(4, 7)],
    ["uploadPart of null", () => upload.uploadPart(4, null)],
    ["uploadPart of a Blob", async () => parts([await upload.uploadPart(5, new Blob(["blob"]))])],
    ["uploadPart of a stream", async () => parts([await upload.uploadPart(6, sized("stream"))])],
    ["uploadPart of a stream without a length", () => upload.uploadPart(7, chunks("a"))],
    ["uploadPart again", async () => {
      uploaded[0] = await upload.uploadPart(1, filled(part, 9));
      return parts(uploaded);
    }],
    ["complete with an unknown part", () => upload.complete([{ partNumber: 1, etag: "unknown" }])],
    ["complete with a part that is too small", async () => {
      const other = await bucket.createMultipartUpload("small");
      const first = await other.uploadPart(1, "a");
      const second = await other.uploadPart(2, "b");
      return await other.complete([first, second]);
    }],
    ["complete with parts of different sizes", async () => {
      const other = await bucket.createMultipartUpload("uneven");
      const first = await other.uploadPart(1, filled(part, 1));
      const second = await other.uploadPart(2, filled(part + 1, 2));
      const third = await other.uploadPart(3, "c");
      return await other.complete([first, second, third]);
    }],
    ["complete without parts", async () => object(await (await bucket.createMultipartUpload("none")).complete([]))],
    ["complete without arguments", () => upload.complete()],
    ["complete with a text", () => upload.complete("parts")],
    ["complete with a part without an etag", () => upload.complete([{ partNumber: 1 }])],
    ["complete with the part number 0", () => upload.complete([{ partNumber: 0, etag: "a" }])],
    ["complete with a resumed upload", async () => {
      const resumed = bucket.resumeMultipartUpload("multi", upload.uploadId);
      return [resumed.constructor.name, resumed.key, resumed.uploadId === upload.uploadId, await object(await resumed.complete(uploaded))];
    }],
    ["head of a multipart object", async () => object(await bucket.head("multi"))],
    ["get a multipart object", async () => object(await bucket.get("multi"))],
    ["get a range across parts", async () => {
      const got = await bucket.get("multi", { range: { offset: part - 2, length: 4 } });
      return await object(got);
    }],
    ["get a suffix of a multipart object", async () => (await bucket.get("multi", { range: { suffix: 7 } })).text()],
    ["complete again", () => upload.complete(uploaded)],
    ["uploadPart after complete", () => upload.uploadPart(1, "x")],
    ["abort after complete", () => upload.abort()],
    ["abort", async () => {
      const aborted = await bucket.createMultipartUpload("aborted");
      await aborted.uploadPart(1, "x");
      return [await describe(await aborted.abort()), await describe(await aborted.abort())];
    }],
    ["complete after abort", async () => {
      const aborted = await bucket.createMultipartUpload("aborted");
      const uploaded = await aborted.uploadPart(1, "x");
      await aborted.abort();
      return await aborted.complete([uploaded]);
    }],
    ["uploadPart of an unknown upload", () => bucket.resumeMultipartUpload("multi", "unknown").uploadPart(1, "x")],
    ["complete of an unknown upload", () => bucket.resumeMultipartUpload("multi", "unknown").complete([])],
    ["abort of an unknown upload", () => bucket.resumeMultipartUpload("multi", "unknown").abort()],
    ["delete a multipart object", async () => {
      await bucket.delete("multi");
      return await bucket.get("multi");
    }],
    ["createMultipartUpload with Headers", async () => {
      const upload = await bucket.createMultipartUpload("headers", { httpMetadata: new Headers({ "content-type": "a/b" }) });
      return await object(await upload.complete([await upload.uploadPart(1, "x")]));
    }],
    ["createMultipartUpload of a long key", () => bucket.createMultipartUpload("k".repeat(1025))],
    ["createMultipartUpload with a text as options", () => bucket.createMultipartUpload("a", "text")],
  ];
}

export default {
  async fetch(request, env) {
    return Response.json(await results(operations(env.R2)));
  },
};
