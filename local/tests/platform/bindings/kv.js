import { chunks, describe, results, sized, valuesOfManyTypes } from "./results.js";

/** All operations, in the order in which they run. `kv` is an empty namespace. */
function operations(kv) {
  const far = 4102444800;
  return [
    ...shape(kv),
    ...keys(kv),
    ...values(kv),
    ...types(kv),
    ...metadata(kv),
    ...expirations(kv, far),
    ...bulk(kv),
    ...lists(kv, far),
    ...deletes(kv),
  ];
}

function shape(kv) {
  const members = ["get", "getWithMetadata", "put", "delete", "list", "deleteBulk", "fetch", "constructor"];
  return [
    ["the tag of the namespace", () => Object.prototype.toString.call(kv)],
    ["the name of the class", () => kv.constructor.name],
    ["own members", () => Object.keys(kv)],
    ...members.map((member) => [`typeof ${member}`, () => typeof kv[member]]),
    ...members.slice(0, 5).map((member) => [`the name of ${member}`, () => kv[member].name]),
    ["the prototype's members", () => Object.getOwnPropertyNames(Object.getPrototypeOf(kv)).sort()],
    ["the class cannot be constructed", () => new kv.constructor()],
    ["the enumerable members", () => {
      const found = [];
      for (const member in kv) found.push(member);
      return found.sort();
    }],
    ["JSON of the namespace", () => JSON.stringify(kv)],
    ["a method without its object", () => (0, kv.get)("a")],
  ];
}

function keys(kv) {
  const names = {
    plain: "plain",
    "with a slash": "a/b/c",
    "with a leading slash": "/a",
    "with two slashes": "//",
    "with a space": "a b",
    "with a plus": "a+b",
    "with a percent sign": "100%",
    "percent-encoded": "a%2Fb",
    "with a question mark": "a?b=c",
    "with a hash": "a#b",
    "with an ampersand": "a&b=c",
    "with a backslash": "a\\b",
    "with a line break": "a\nb",
    "with a zero": "a\0b",
    "with umlauts": "äöü",
    "with an emoji": "🦊",
    "with dots inside": "a/../b",
    "with three dots": "...",
    "a dot and a slash": "./",
    "dots and a slash": "../x",
    "512 bytes": "k".repeat(512),
    "512 bytes of UTF-8": "ä".repeat(256),
    "with a lone surrogate": "a\ud800b",
    "bulk/get": "bulk/get",
    "like a URL": "https://example.com/a?b#c",
    "a quote": `"'\``,
    "of the prototype": "__proto__",
    "of a member": "constructor",
  };
  const invalid = {
    empty: "",
    "a dot": ".",
    "two dots": "..",
    "513 bytes": "k".repeat(513),
    "514 bytes of UTF-8": "ä".repeat(257),
    "1000 bytes": "k".repeat(1000),
  };
  const coerced = { "a number": 12, "a boolean": true, null: null, undefined, "an object": {}, "a float": 1.5, "a bigint": 7n };
  return [
    ...Object.entries(names).flatMap(([label, key]) => [
      [`put a key ${label}`, () => kv.put(key, `value of ${key.toWellFormed()}`)],
      [`get a key ${label}`, () => kv.get(key)],
    ]),
    ["list of all keys", async () => (await kv.list()).keys.map(({ name }) => name)],
    ...Object.entries(names).map(([label, key]) => [`delete a key ${label}`, () => kv.delete(key)]),
    ["list after the deletes", () => kv.list()],
    ...Object.entries(invalid).flatMap(([label, key]) => [
      [`get an invalid key, ${label}`, () => kv.get(key)],
      [`getWithMetadata of an invalid key, ${label}`, () => kv.getWithMetadata(key)],
      [`put an invalid key, ${label}`, () => kv.put(key, "x")],
      [`delete an invalid key, ${label}`, () => kv.delete(key)],
    ]),
    ...Object.entries(coerced).flatMap(([label, key]) => [
      [`put a key that is ${label}`, () => kv.put(key, "x")],
      [`get a key that is ${label}`, () => kv.get(key)],
      [`delete a key that is ${label}`, () => kv.delete(key)],
    ]),
    ["get a symbol", () => kv.get(Symbol("s"))],
    ["get without arguments", () => kv.get()],
    ["getWithMetadata without arguments", () => kv.getWithMetadata()],
    ["put without arguments", () => kv.put()],
    ["put without a value", () => kv.put("a")],
    ["delete without arguments", () => kv.delete()],
    ["get of an absent key", () => kv.get("absent")],
    ["getWithMetadata of an absent key", () => kv.getWithMetadata("absent")],
    ["errors are rejections", () => describe(kv.get("") instanceof Promise ? "a promise" : "a value")],
  ];
}

function values(kv) {
  const values = {
    ...valuesOfManyTypes(),
    "a boolean": false,
    "a bigint": 9n,
    "an array": [1, 2],
    "a function": () => 1,
    "a Blob": new Blob(["blob"]),
    "a String object": new String("s"),
  };
  return [
    ...Object.entries(values).flatMap(([label, value]) => [
      [`put ${label}`, () => kv.put(`value ${label}`, value)],
      [`the bytes of ${label}`, () => kv.get(`value ${label}`, "arrayBuffer")],
    ]),
    ["put a stream", () => kv.put("stream", chunks("one ", "two"))],
    ["the text of a stream", () => kv.get("stream")],
    ["put a stream with a known length", () => kv.put("sized", sized("known"))],
    ["the text of a stream with a known length", () => kv.get("sized")],
    ["put an empty stream", () => kv.put("empty stream", chunks())],
    ["the text of an empty stream", () => kv.get("empty stream")],
    ["put a used stream", async () => {
      const { body } = new Response("x");
      await new Response(body).text();
      await kv.put("used", body);
    }],
    ["put a locked stream", () => {
      const { body } = new Response("x");
      body.getReader();
      return kv.put("locked", body);
    }],
    ["put a large text", () => kv.put("large", "0123456789".repeat(200_000))],
    ["the size of a large text", async () => (await kv.get("large")).length],
    ["the stream of a large value", () => kv.get("large", "stream")],
    ["put the stream of a value", async () => kv.put("copy", await kv.get("large", "stream"))],
    ["the size of a copy", async () => (await kv.get("copy")).length],
    ["put 25 MiB", () => kv.put("largest", new Uint8Array(25 * 1024 * 1024))],
    ["the size of 25 MiB", async () => (await kv.get("largest", "arrayBuffer")).byteLength],
    ["put more than 25 MiB", () => kv.put("too large", new Uint8Array(25 * 1024 * 1024 + 1))],
    ["put a text of more than 25 MiB", () => kv.put("too large", "ä".repeat(13 * 1024 * 1024 + 1))],
    ["put a stream of more than 25 MiB", () => {
      let rest = 26;
      const stream = new ReadableStream({
        pull(controller) {
          controller.enqueue(new Uint8Array(1024 * 1024));
          if (--rest === 0) controller.close();
        },
      });
      return kv.put("too large", stream);
    }],
    ["too large values are not stored", () => kv.get("too large")],
    ["overwrite", async () => {
      await kv.put("twice", "first");
      await kv.put("twice", "second");
      return await kv.get("twice");
    }],
    ["put returns nothing", () => kv.put("nothing", "x")],
    ["delete returns nothing", () => kv.delete("nothing")],
    ["delete of an absent key", () => kv.delete("absent")],
    ["twenty puts at once", async () => {
      await Promise.all(Array.from({ length: 20 }, (_, index) => kv.put(`at once ${index}`, String(index))));
      return await Promise.all(Array.from({ length: 20 }, (_, index) => kv.get(`at once ${index}`)));
    }],
  ];
}

function types(kv) {
  const options = {
    "no type": undefined,
    text: "text",
    json: "json",
    arrayBuffer: "arrayBuffer",
    stream: "stream",
    "an empty type": "",
    "an unknown type": "xml",
    "the type Text": "Text",
    "a null": null,
    "a number": 7,
    "an empty object": {},
    "an object with text": { type: "text" },
    "an object with json": { type: "json" },
    "an object with arrayBuffer": { type: "arrayBuffer" },
    "an object with stream": { type: "stream" },
    "an object with an unknown type": { type: "xml" },
    "an object with an undefined type": { type: undefined },
    "an object with a null type": { type: null },
    "cacheTtl 30": { cacheTtl: 30 },
    "cacheTtl 60": { cacheTtl: 60, type: "json" },
    "cacheTtl 29": { cacheTtl: 29 },
    "cacheTtl 0": { cacheTtl: 0 },
    "cacheTtl -1": { cacheTtl: -1 },
    "cacheTtl as text": { cacheTtl: "60" },
    "cacheTtl that is no number": { cacheTtl: "soon" },
    "cacheTtl 60.7": { cacheTtl: 60.7 },
    "cacheTtl null": { cacheTtl: null },
    "cacheTtl undefined": { cacheTtl: undefined },
    "cacheTtl too large": { cacheTtl: 1e12 },
    "unknown options": { colour: "red" },
  };
  return [
    ["put JSON", () => kv.put("json", '{"a":[1,null,"x"]}', { metadata: { m: 1 } })],
    ["put text that is not JSON", () => kv.put("not json", "{a")],
    ["put bytes that are not UTF-8", () => kv.put("not utf-8", Uint8Array.of(0xff, 0x61))],
    ["put a byte-order mark", () => kv.put("mark", "\ufeffa")],
    ...Object.entries(options).flatMap(([label, option]) => [
      [`get with ${label}`, () => kv.get("json", option)],
      [`getWithMetadata with ${label}`, () => kv.getWithMetadata("json", option)],
      [`get an absent key with ${label}`, () => kv.get("absent", option)],
    ]),
    ["get what is not JSON", async () => {
      try {
        return await kv.get("not json", "json");
      } catch (error) {
        return error.name;
      }
    }],
    ["get what is not UTF-8", () => kv.get("not utf-8")],
    ["get a byte-order mark", () => kv.get("mark")],
    ["get a byte-order mark as bytes", () => kv.get("mark", "arrayBuffer")],
    ["the members of a result with metadata", async () => Object.keys(await kv.getWithMetadata("json"))],
    ["a stream is a byte stream", async () => {
      const reader = (await kv.get("json", "stream")).getReader({ mode: "byob" });
      return await reader.read(new Uint8Array(4));
    }],
    ["a cancelled stream", async () => (await kv.get("large", "stream")).cancel()],
  ];
}

function metadata(kv) {
  const values = {
    "an object": { a: 1, b: ["x", null] },
    "a text": "text",
    "an empty text": "",
    "a number": 0,
    "a boolean": false,
    null: null,
    undefined,
    umlauts: { name: "äöü 🦊" },
    "an array": [1, 2],
    "a date": new Date(0),
    "a function": () => 1,
    "a bigint": 7n,
    "1024 bytes": "m".repeat(1022),
    "1025 bytes": "m".repeat(1023),
    "a line break": { a: "x\ny" },
    "an object with toJSON": { toJSON: () => "from toJSON" },
    "a circle": (() => {
      const circle = {};
      circle.circle = circle;
      return circle;
    })(),
  };
  return [
    ...Object.entries(values).flatMap(([label, value]) => [
      [`put metadata, ${label}`, () => kv.put(`metadata ${label}`, "v", { metadata: value })],
      [`get metadata, ${label}`, () => kv.getWithMetadata(`metadata ${label}`)],
    ]),
    ["list metadata", () => kv.list({ prefix: "metadata " })],
    ["overwrite without metadata", async () => {
      await kv.put("metadata an object", "w");
      return await kv.getWithMetadata("metadata an object");
    }],
    ["metadata of JSON", async () => {
      await kv.put("metadata json", "[1]", { metadata: { a: 1 } });
      return await kv.getWithMetadata("metadata json", "json");
    }],
    ["metadata of a stream", async () => {
      await kv.put("metadata stream", chunks("a", "b"), { metadata: { a: 1 } });
      return await kv.getWithMetadata("metadata stream", { type: "stream" });
    }],
  ];
}

function expirations(kv, far) {
  const options = {
    "expirationTtl 60": { expirationTtl: 60 },
    "expirationTtl 59": { expirationTtl: 59 },
    "expirationTtl 1": { expirationTtl: 1 },
    "expirationTtl 0": { expirationTtl: 0 },
    "expirationTtl -1": { expirationTtl: -1 },
    "expirationTtl as text": { expirationTtl: "120" },
    "expirationTtl that is no number": { expirationTtl: "soon" },
    "expirationTtl 60.9": { expirationTtl: 60.9 },
    "expirationTtl NaN": { expirationTtl: Number.NaN },
    "expirationTtl null": { expirationTtl: null },
    "expirationTtl undefined": { expirationTtl: undefined },
    "expirationTtl true": { expirationTtl: true },
    "expirationTtl of 2^31": { expirationTtl: 2 ** 31 },
    "an expiration in the future": { expiration: 2_000_000_000 },
    "an expiration in the past": { expiration: 1 },
    "expiration 0": { expiration: 0 },
    "expiration -5": { expiration: -5 },
    "an expiration beyond 32 bits": { expiration: far },
    "an expiration as text": { expiration: "2000000000" },
    "an expiration that is no number": { expiration: "soon" },
    "both": { expiration: 2_000_000_001, expirationTtl: 90 },
    "both, one invalid": { expiration: 1, expirationTtl: 90 },
    "a null": null,
    "a number": 7,
    "a text": "text",
    "an unknown option": { colour: "red" },
  };
  const now = Math.floor(Date.now() / 1000);
  return [
    ...Object.entries(options).map(([label, option]) => [`put with ${label}`, () => kv.put(`expires ${label}`, "v", option)]),
    ["the keys that expire", async () =>
      (await kv.list({ prefix: "expires " })).keys.map(({ name, expiration }) => {
        const isRelative = expiration !== undefined && Math.abs(expiration - now) < 10_000;
        return { name, expiration: isRelative ? "relative" : (expiration ?? null) };
      })],
    ["the time of an expiration", async () => {
      const before = Math.floor(Date.now() / 1000);
      await kv.put("expires later", "v", { expirationTtl: 3600 });
      const [{ expiration }] = (await kv.list({ prefix: "expires later" })).keys;
      return expiration >= before + 3600 && expiration <= Date.now() / 1000 + 3600;
    }],
    ["get a key that expires", () => kv.getWithMetadata("expires an expiration in the future")],
    ["overwrite without an expiration", async () => {
      await kv.put("expires an expiration in the future", "w");
      return await kv.list({ prefix: "expires an expiration in the future" });
    }],
  ];
}

function bulk(kv) {
  const many = Array.from({ length: 101 }, (_, index) => `many ${index}`);
  return [
    ["put for bulk", async () => {
      await kv.put("bulk a", "1", { metadata: { of: "a" } });
      await kv.put("bulk b", '{"b":2}');
      await kv.put("bulk text", "{text");
      await Promise.all(many.slice(0, 100).map((key) => kv.put(key, key)));
    }],
    ["get of two keys", () => kv.get(["bulk a", "bulk b"])],
    ["get of two keys as text", () => kv.get(["bulk a", "bulk b"], "text")],
    ["get of two keys as json", () => kv.get(["bulk a", "bulk b"], "json")],
    ["get of keys with an options object", () => kv.get(["bulk a", "bulk b"], { type: "json", cacheTtl: 60 })],
    ["get of keys with an empty options object", () => kv.get(["bulk b", "bulk a"], {})],
    ["get of absent keys", () => kv.get(["absent", "bulk a"])],
    ["get of the same key twice", () => kv.get(["bulk a", "bulk a"])],
    ["get of no keys", () => kv.get([])],
    ["get of 100 keys", async () => (await kv.get(many.slice(0, 100))).size],
    ["get of 101 keys", () => kv.get(many)],
    ["get of keys as arrayBuffer", () => kv.get(["bulk a"], "arrayBuffer")],
    ["get of keys as stream", () => kv.get(["bulk a"], { type: "stream" })],
    ["get of keys that are not JSON", () => kv.get(["bulk text"], "json")],
    ["get of an empty key", () => kv.get([""])],
    ["get of a key of 513 bytes", () => kv.get(["k".repeat(513)])],
    ["get of keys with a short cacheTtl", () => kv.get(["bulk a"], { cacheTtl: 5 })],
    ["get of keys that are numbers", () => kv.get([1, 2])],
    ["get of keys of mixed types", () => kv.get(["bulk a", null, undefined, true])],
    ["get of keys with umlauts", () => kv.get(["äöü", "🦊"])],
    ["get of keys with names of object members", () => kv.get(["__proto__", "constructor"])],
    ["getWithMetadata of two keys", () => kv.getWithMetadata(["bulk a", "bulk b", "absent"])],
    ["getWithMetadata of two keys as json", () => kv.getWithMetadata(["bulk a", "bulk b"], "json")],
    ["getWithMetadata of keys with an options object", () => kv.getWithMetadata(["bulk a"], { type: "text" })],
    ["getWithMetadata of keys as arrayBuffer", () => kv.getWithMetadata(["bulk a"], "arrayBuffer")],
    ["getWithMetadata of no keys", () => kv.getWithMetadata([])],
    ["get of a Set", () => kv.get(new Set(["bulk a"]))],
    ["get of numbers as keys in order", () => kv.get(["10", "9", "b"])],
  ];
}

function lists(kv, far) {
  const options = {
    "no options": undefined,
    "empty options": {},
    "a prefix": { prefix: "list/" },
    "a prefix that no key has": { prefix: "nothing/" },
    "an empty prefix and a limit": { prefix: "", limit: 2 },
    "a prefix with a percent sign": { prefix: "list/%" },
    "a prefix with an underscore": { prefix: "list/_" },
    "an upper-case prefix": { prefix: "LIST/" },
    "a null prefix": { prefix: null, limit: 1 },
    "a prefix of 513 bytes": { prefix: "p".repeat(513) },
    "a limit": { prefix: "list/", limit: 3 },
    "limit 1": { prefix: "list/", limit: 1 },
    "a limit above 1000": { prefix: "list/", limit: 1001 },
    "limit 1000": { prefix: "list/", limit: 1000 },
    "limit 0": { prefix: "list/", limit: 0 },
    "limit -1": { prefix: "list/", limit: -1 },
    "limit as text": { prefix: "list/", limit: "2" },
    "limit that is no number": { prefix: "list/", limit: "few" },
    "limit 2.9": { prefix: "list/", limit: 2.9 },
    "limit null": { prefix: "list/", limit: null },
    "a null cursor": { prefix: "list/", cursor: null },
    "an empty cursor": { prefix: "list/", cursor: "" },
    "a cursor that is none": { prefix: "list/", cursor: "!!!" },
    "a null": null,
    "a text": "list/",
    "a number": 7,
  };
  const pages = async (limit) => {
    const found = [];
    let cursor;
    let pages = 0;
    do {
      const page = await kv.list({ prefix: "list/", limit, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...page.keys.map(({ name }) => name));
      cursor = page.list_complete ? undefined : page.cursor;
      pages += 1;
    } while (cursor !== undefined);
    return { found, pages };
  };
  return [
    ["empty the namespace", async () => {
      let page;
      do {
        page = await kv.list();
        await Promise.all(page.keys.map(({ name }) => kv.delete(name)));
      } while (!page.list_complete);
      return await kv.list();
    }],
    ["put for lists", async () => {
      for (const name of ["b", "a", "c/1", "c/2", "%", "_x", "ä", "🦊", "Z", "10", "9"]) {
        await kv.put(`list/${name}`, name, { metadata: { name } });
      }
      await kv.put("other", "x", { expiration: 2_000_000_000, metadata: far });
    }],
    ...Object.entries(options).map(([label, option]) => [`list with ${label}`, () => kv.list(option)]),
    ...[1, 2, 3, 5, 11, 12].map((limit) => [`pages of ${limit}`, () => pages(limit)]),
    ["a key that was added after a cursor", async () => {
      const first = await kv.list({ prefix: "list/", limit: 2 });
      await kv.put("list/zz", "new");
      return (await kv.list({ prefix: "list/", cursor: first.cursor })).keys.map(({ name }) => name);
    }],
    ["a key that was deleted after a cursor", async () => {
      const first = await kv.list({ prefix: "list/", limit: 2 });
      await kv.delete("list/zz");
      return (await kv.list({ prefix: "list/", cursor: first.cursor })).keys.map(({ name }) => name);
    }],
  ];
}

function deletes(kv) {
  return [
    ["delete", async () => {
      await kv.put("deleted", "x", { metadata: 1 });
      await kv.delete("deleted");
      return [await kv.get("deleted"), await kv.getWithMetadata("deleted"), await kv.list({ prefix: "deleted" })];
    }],
    ["delete of an array", () => kv.delete(["deleted", "other"])],
    ["put after delete", async () => {
      await kv.put("deleted", "y");
      return await kv.getWithMetadata("deleted");
    }],
  ];
}

export default {
  async fetch(request, env) {
    return Response.json(await results(operations(env.KV)));
  },
};
