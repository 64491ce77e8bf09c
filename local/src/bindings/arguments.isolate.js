// What the classes of the platform's bindings in an isolate have in common: how the runtime converts and checks arguments
// (`src/workerd/jsg` in workerd).

/** The first argument of constructors that a script must not call. */
export const CONSTRUCTOR = Symbol("constructor");

const encoder = new TextEncoder();

/** Refuses a call of a constructor by a script. */
export function checkConstructor(caller) {
  if (caller !== CONSTRUCTOR) throw new TypeError("Illegal constructor");
}

/** Refuses a method that is called without its object. */
export function checkThis(isInstance) {
  if (isInstance) return;
  throw new TypeError(
    "Illegal invocation: function called with incorrect `this` reference. " +
      "See https://developers.cloudflare.com/workers/observability/errors/#illegal-invocation-errors for details.",
  );
}

/** Gives a class the name and the enumerable methods that a class of the runtime has. */
export function likeNative(type) {
  Object.defineProperty(type.prototype, Symbol.toStringTag, { value: type.name, configurable: true });
  for (const name of Object.getOwnPropertyNames(type.prototype)) {
    if (name !== "constructor") Object.defineProperty(type.prototype, name, { enumerable: true });
  }
}

/** An options object. `given` may be absent. */
export function readOptions(method, type, parameter, options, given) {
  if (given === undefined || given === null) return {};
  if (isObject(given)) return given;
  throw wrongType(method, type, parameter, options);
}

/** The integer of a value, as the runtime converts arguments. */
export function integer(value) {
  const number = Math.trunc(Number(value));
  if (Number.isNaN(number)) return 0;
  if (number >= -(2 ** 31) && number < 2 ** 31) return number;
  throw new TypeError("Value out of range. Must be between -2147483648 and 2147483647 (inclusive).");
}

/** Whether a value has members. */
export function isObject(value) {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** Whether a value is an `ArrayBuffer` or a view. */
export function isBytes(value) {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

/** A copy of bytes, which the caller can change before they are sent. */
export function copyBytes(value) {
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  return new Uint8Array(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength));
}

/** A stream without a reader. */
function unlocked(stream) {
  if (stream.locked) throw new TypeError("The ReadableStream has been locked to a reader.");
  return stream;
}

/** The bytes or the stream of a text, of bytes or of a stream; `undefined` for other values. */
export function bodyOf(value) {
  if (typeof value === "string") return utf8(value);
  if (value instanceof ReadableStream) return unlocked(value);
  return isBytes(value) ? copyBytes(value) : undefined;
}

/** The bytes of a text. The runtime encodes lone surrogates like other characters. */
export function utf8(value) {
  if (value.isWellFormed()) return encoder.encode(value);
  const bytes = [...value].flatMap((character) => {
    if (character.isWellFormed()) return [...encoder.encode(character)];
    const unit = character.charCodeAt(0);
    return [0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)];
  });
  return Uint8Array.from(bytes);
}

/** The error for an argument of the wrong type. */
export function wrongType(method, type, parameter, expected) {
  return new TypeError(`Failed to execute '${method}' on '${type}': parameter ${parameter} is not of type '${expected}'.`);
}

// Every `*.isolate.js` is imported as a text. Without a default export, the unit tests on Node cannot import it.
export default undefined;
