// Counts the Worker invocations of a request across Workers. A header carries the count from one Worker to the next, and an
// `AsyncLocalStorage` carries it inside of this isolate. This module and the host entrypoint `Outbound` refuse the invocation that
// exceeds the platform's limit.
//
// The count reaches `Outbound` with every request to a host of the platform: in a header of `fetch` and of stubs, and in the query of
// `WebSocket`, `EventSource` and `sendBeacon`, which take no headers.
import { AsyncLocalStorage } from "node:async_hooks";
import { env } from "cloudflare:workers";
import { inRequest } from "./__local_platform__console.js";
import names from "./__local_platform__names.js";

/** The most calls of methods of this Worker's entrypoints at the same time. RPC has no headers, so only this bounds a recursion. */
const MAX_CALLS = 1000;

/**
 * After this time a call is not counted any more, in milliseconds: a call that was cancelled never ends. On a loaded machine a recursion to
 * the limit takes a minute.
 */
const MAX_CALL_MS = 300_000;

/** The number of invocations of the current request, this one included. */
const depth = new AsyncLocalStorage();

/** The number of invocations of the current request. A request of a client has two: the dispatch Worker and this Worker. */
function currentDepth() {
  return depth.getStore() ?? 2;
}

/** Makes the `fetch` handlers of the objects that a script exports take the count and the id from their requests. */
export function countInvocations(script) {
  for (const exported of Object.values(script)) {
    if (typeof exported !== "object" || exported === null || Object.isFrozen(exported)) continue;
    if (typeof exported.fetch === "function") replace(exported, "fetch", countedFetch(exported.fetch));
  }
}

/** An instance of an exported class as the runtime calls it: `fetch` takes the count from the request, and its other calls are bounded. */
export function countedInstance(instance) {
  return new Proxy(instance, {
    get(target, property) {
      const value = Reflect.get(target, property, target);
      // The runtime refuses calls of the members of the instance itself.
      if (typeof value !== "function" || property === "constructor" || Object.hasOwn(target, property)) return value;
      return (property === "fetch" ? countedFetch(value) : boundedCall(value)).bind(target);
    },
  });
}

function countedFetch(fetch) {
  return function (request, ...rest) {
    const received = request instanceof Request ? request.headers.get(names.depthHeader) : null;
    if (received === null) return inRequest(request, () => fetch.call(this, request, ...rest));
    const plain = new Request(request);
    plain.headers.delete(names.depthHeader);
    return depth.run(Number(received) + 1, () => inRequest(plain, () => fetch.call(this, plain, ...rest)));
  };
}

/** The start of each call that has not ended, the oldest first, in milliseconds since 1970. */
const calls = new Map();
let lastCall = 0;

function boundedCall(method) {
  return function (...args) {
    if (calls.size >= MAX_CALLS) forgetOldCalls();
    if (calls.size >= MAX_CALLS) throw new Error(names.depthExceeded);
    const result = method.apply(this, args);
    if (typeof result?.then !== "function") return result;
    const call = (lastCall += 1);
    calls.set(call, Date.now());
    const ended = () => calls.delete(call);
    result.then(ended, ended);
    return result;
  };
}

function forgetOldCalls() {
  const oldest = Date.now() - MAX_CALL_MS;
  for (const [call, started] of calls) {
    if (started >= oldest) return;
    calls.delete(call);
  }
}

function replace(owner, name, value) {
  const { enumerable = false } = Object.getOwnPropertyDescriptor(owner, name) ?? {};
  Object.defineProperty(owner, name, { value, enumerable, configurable: true, writable: true });
}

// `fetch` of every stub: of this Worker's exports, of its Durable Objects and of its other bindings. All stubs have one prototype.
const { prototype: stubs } = Object.getPrototypeOf(env[names.stubs.sockets]).constructor;
const { fetch: fetchOfStub } = stubs;
stubs.fetch = function fetch(input, init) {
  return counted(input, init, 1, (request) => fetchOfStub.call(this, request));
};

const { fetch: fetchOfRuntime } = globalThis;
globalThis.fetch = function fetch(input, init) {
  if (!isOfPlatform(input instanceof Request ? input.url : String(input))) return fetchOfRuntime(input, init);
  return counted(input, init, 2, (request) => fetchOfRuntime(request));
};

/** Sends a request with the count, unless its target would exceed the limit. `invocations` is what the target adds to the count. */
function counted(input, init, invocations, send) {
  try {
    if (currentDepth() + invocations > names.maxInvocations) throw new Error(names.depthExceeded);
    const request = new Request(new Request(input, init));
    request.headers.set(names.depthHeader, String(currentDepth()));
    return send(request);
  } catch (cause) {
    return Promise.reject(cause);
  }
}

// Old compatibility dates have no `navigator`.
if (globalThis.navigator?.sendBeacon) {
  const { navigator } = globalThis;
  const { sendBeacon } = navigator;
  const value = (url, body) => sendBeacon.call(navigator, withCount(url), body);
  Object.defineProperty(navigator, "sendBeacon", { value });
}

globalThis.WebSocket = class WebSocket extends globalThis.WebSocket {
  constructor(url, ...rest) {
    super(withCount(url), ...rest);
  }
};

globalThis.EventSource = class EventSource extends globalThis.EventSource {
  constructor(url, ...rest) {
    super(withCount(url), ...rest);
  }
};

function withCount(url) {
  const text = String(url);
  if (!isOfPlatform(text)) return text;
  const counted = new URL(text);
  counted.searchParams.set(names.depthQuery, String(currentDepth()));
  return counted.href;
}

function isOfPlatform(url) {
  try {
    return /\.do\.?$/.test(new URL(url).hostname);
  } catch {
    return false;
  }
}
