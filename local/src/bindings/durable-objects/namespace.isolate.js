// The Durable Object namespaces that a script sees. The runtime cannot pass a real namespace to a loaded isolate, so this one creates
// the ids, and passes requests and calls to the host entrypoint `ObjectNamespace`.

import names from "../../../__local_platform__names.js";

/** Returns the namespace for the stub of a host entrypoint. */
export default function objectNamespace(host) {
  return new DurableObjectNamespace(host);
}

/** The id of an object. */
export class ObjectId {
  #hex;
  constructor(hex, name) {
    this.#hex = hex;
    if (name !== undefined) Object.defineProperty(this, "name", { value: name, enumerable: true });
  }
  toString() {
    return this.#hex;
  }
  equals(other) {
    return other instanceof ObjectId && other.toString() === this.#hex;
  }
}
Object.defineProperty(ObjectId, "name", { value: "DurableObjectId" });

class DurableObjectNamespace {
  #host;
  constructor(host) {
    this.#host = host;
  }
  newUniqueId() {
    return new ObjectId(hex(crypto.getRandomValues(new Uint8Array(32))));
  }
  idFromName(name) {
    return new ObjectId(hex(sha256(new TextEncoder().encode(String(name)))), String(name));
  }
  idFromString(text) {
    if (!/^[0-9a-f]{64}$/.test(text)) throw new TypeError("Invalid Durable Object ID: must be 64 hex digits");
    return new ObjectId(text);
  }
  get(id) {
    if (!(id instanceof ObjectId)) {
      throw new TypeError("get() of a Durable Object namespace needs an id of this namespace");
    }
    return objectStub(this.#host, id);
  }
  getByName(name) {
    return this.get(this.idFromName(name));
  }
  jurisdiction() {
    return this;
  }
}

/**
 * The stub of an object. Members other than these are calls and properties over RPC. The runtime resolves the path of the members in
 * the host entrypoint, so everything that RPC can pass works: properties, pipelines, functions, streams and targets.
 */
function objectStub(host, id) {
  const called = id.name === undefined ? "unnamed" : `named ${encodeURIComponent(id.name)}`;
  const members = {
    id,
    name: id.name,
    fetch(input, init) {
      const request = new Request(new Request(input, init));
      request.headers.set(names.objectHeader, `${id} ${called}`);
      return host.fetch(request);
    },
  };
  return new Proxy(members, {
    get(target, property) {
      if (typeof property !== "string" || property in target) return target[property];
      if (property === "then") return undefined;
      return host[id.toString()][called][property];
    },
  });
}

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// SHA-256 (FIPS 180-4). `idFromName` is synchronous, and the runtime's digest is not.
function sha256(message) {
  const rotate = (word, bits) => (word >>> bits) | (word << (32 - bits));
  const length = message.length;
  const padded = new Uint8Array(((length + 9 + 63) >> 6) << 6);
  padded.set(message);
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, length * 8);
  const state = new Uint32Array(INITIAL);
  const words = new Uint32Array(64);
  for (let offset = 0; offset < padded.length; offset += 64) {
    for (let i = 0; i < 16; i += 1) words[i] = view.getUint32(offset + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const a = words[i - 15];
      const b = words[i - 2];
      words[i] =
        words[i - 16] +
        words[i - 7] +
        (rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3)) +
        (rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const t1 =
        (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[i] + words[i]) | 0;
      const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => {
      state[i] += word;
    });
  }
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => digest.setUint32(4 * i, word));
  return new Uint8Array(digest.buffer);
}

const { INITIAL, ROUNDS } = (() => {
  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  const fraction = (value) => Math.floor((value - Math.floor(value)) * 2 ** 32) >>> 0;
  return {
    INITIAL: primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime))),
    ROUNDS: primes.map((prime) => fraction(Math.cbrt(prime))),
  };
})();
