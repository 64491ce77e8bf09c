// Runs operations on a binding inside a Worker, and describes their results in JSON. The same modules run on the native binding of
// miniflare and on the local platform, and the descriptions are compared.

/** The results of `operations`, which are pairs of a label and a function, in order. */
export async function results(operations) {
  const described = {};
  for (const [label, operation] of operations) {
    if (label in described) throw new Error(`two operations are called ${label}`);
    try {
      described[label] = await describe(await operation());
    } catch (error) {
      described[label] = { thrown: thrown(error) };
    }
  }
  return described;
}

function thrown(error) {
  if (!(error instanceof Error)) return { value: String(error) };
  return { name: error.name, message: error.message, tag: tag(error), constructor: error.constructor.name };
}

/** A value in JSON, with its type where JSON has none. */
export async function describe(value) {
  if (value === undefined) return { undefined: true };
  if (typeof value === "bigint" || typeof value === "symbol" || typeof value === "function") return { [typeof value]: String(value) };
  if (value === null || typeof value !== "object") return Number.isNaN(value) ? { NaN: true } : value;
  if (value instanceof Error) return { error: thrown(value) };
  if (value instanceof ArrayBuffer) return { ArrayBuffer: bytes(new Uint8Array(value)) };
  if (ArrayBuffer.isView(value)) {
    return { [value.constructor.name]: bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  }
  if (value instanceof Date) return { Date: value.getTime() };
  if (value instanceof ReadableStream) return { ReadableStream: bytes(new Uint8Array(await new Response(value).arrayBuffer())) };
  if (value instanceof Blob) return { Blob: value.type, bytes: bytes(new Uint8Array(await value.arrayBuffer())) };
  if (value instanceof Headers) return { Headers: [...value] };
  if (value instanceof Map) return { Map: await describe([...value]) };
  if (Array.isArray(value)) return await Promise.all(value.map(describe));
  const members = {};
  for (const key of Object.keys(value).sort()) members[key] = await describe(value[key]);
  return Object.getPrototypeOf(value) === Object.prototype ? members : { tag: tag(value), members };
}

function tag(value) {
  return Object.prototype.toString.call(value);
}

/** Few bytes as text, many bytes by their length and a sum. */
function bytes(array) {
  if (array.byteLength <= 256) return [...array].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  let sum = 0;
  for (const byte of array) sum = (sum * 31 + byte) >>> 0;
  return { length: array.byteLength, sum };
}

/** A stream of some chunks of text, whose length the runtime does not know. */
export function chunks(...texts) {
  return new ReadableStream({
    start(controller) {
      for (const text of texts) controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
}

/** A stream with a length that the runtime knows. */
export function sized(text) {
  return new Response(text).body;
}

/** Values of many types, by their labels. A binding stores some of them and refuses the others. */
export function valuesOfManyTypes() {
  const bytes = Uint8Array.of(0, 1, 2, 127, 128, 254, 255);
  return {
    text: "text",
    "an empty text": "",
    umlauts: "äöü 🦊",
    "a lone surrogate": "a\ud800b",
    null: null,
    undefined,
    "a number": 7,
    "an object": { a: 1 },
    "a date": new Date(0),
    "a Response": new Response("x"),
    "an ArrayBuffer": bytes.buffer,
    "an empty ArrayBuffer": new ArrayBuffer(0),
    "a Uint8Array": bytes,
    "a part of an array": bytes.subarray(2, 4),
    "a Float64Array": Float64Array.of(1.5),
    "a DataView": new DataView(bytes.buffer, 1, 3),
  };
}
