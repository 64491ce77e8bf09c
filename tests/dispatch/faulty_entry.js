// The dispatch Worker with other bindings: a production namespace whose Workers fail as their names say, an Analytics Engine
// data set that logs its data points, a KV namespace that logs its look-ups, a `waitUntil` that logs its calls, and a clock
// that a Worker can set forward.
import dispatcher from "./dispatcher.js";

export * from "./dispatcher.js";

const stub = { fetch: async (request) => new Response(`answered ${request.method} ${new URL(request.url).pathname}`) };
const logsFetch = {
  fetch(request) {
    console.log(JSON.stringify({ fetched: request.headers.get("X-Test") }));
    return stub.fetch(request);
  },
};
const rejecting = (reason) => ({ fetch: () => Promise.reject(reason) });

let released = false;
const realNow = Date.now.bind(Date);

const BEHAVIOURS = {
  "at-once": () => stub,
  "promised": async () => stub,
  "logs-fetch": async () => logsFetch,
  "found-slowly": () => logsFetch,
  // The dispatch Worker's build with traps traps on this response.
  "answers-a-trap": () => ({
    fetch: async () => new Response("moved", { headers: { "X-Test-Trap": "panic@answered", Location: "/moved" } }),
  }),
  // These three wait for a request to `release`: before a response, before a rejection, and in `get`.
  "waits": () => ({
    async fetch(request) {
      while (!released) await scheduler.wait(5);
      return stub.fetch(request);
    },
  }),
  "waits-and-rejects": () => ({
    async fetch() {
      while (!released) await scheduler.wait(5);
      throw new Error("hunter2");
    },
  }),
  "waits-for-get": async () => {
    while (!released) await scheduler.wait(5);
    return stub;
  },
  "half-a-minute-later": () => {
    const now = Date.now() + 31_000;
    const began = realNow();
    Date.now = () => now + realNow() - began;
    return stub;
  },
  "release": () => {
    released = true;
    return stub;
  },
  "get-throws": () => {
    throw new Error("the namespace is gone: hunter2");
  },
  "get-throws-a-text": () => {
    throw "hunter2";
  },
  "get-throws-nothing": () => {
    throw undefined;
  },
  "get-throws-not-found": () => {
    throw new Error("Worker not found.");
  },
  "get-rejects": () => Promise.reject(new Error("the namespace is gone: hunter2")),
  "get-rejects-not-found": () => Promise.reject(new Error("Worker not found.")),
  // No real namespace returns `undefined`. The dispatch Worker traps on it.
  "get-answers-nothing": () => undefined,
  "get-answers-no-worker": () => ({ no: "fetch" }),
  "fetch-throws": () => ({
    fetch() {
      throw new Error("hunter2");
    },
  }),
  "fetch-rejects": () => rejecting(new TypeError("hunter2")),
  "fetch-rejects-a-text": () => rejecting("hunter2"),
  "fetch-rejects-once": () => rejecting("hunter2"),
  "fetch-rejects-nothing": () => rejecting(undefined),
  "fetch-rejects-null": () => rejecting(null),
  "fetch-rejects-not-found": () => rejecting(new Error("Worker not found.")),
  "fetch-rejects-cpu": () => rejecting(new Error("Worker exceeded CPU time limit.")),
  "fetch-rejects-subrequests": () => rejecting(new Error("Too many subrequests by single Worker invocation.")),
  "fetch-rejects-internal": () => rejecting(new Error("internal error; reference = hunter2")),
  "fetch-rejects-strangely": () =>
    rejecting({
      get message() {
        throw new Error("hunter2");
      },
      toString() {
        throw new Error("hunter2");
      },
    }),
};

const namespace = {
  get(name, ...rest) {
    console.log(JSON.stringify({ get: name, rest }));
    return BEHAVIOURS[name]();
  },
};

const dataSet = {
  writeDataPoint(point) {
    console.log(JSON.stringify({ dataPoint: point }));
    if (point.indexes[0] === "fetch-throws") throw new Error("the data set is full");
  },
};

// A look-up of `waits-for-kv.example` ends after the request to `release`, one of `slow-kv.example` after a second.
const withLog = (hostnames) => ({
  async get(keys, ...rest) {
    console.log(JSON.stringify({ lookedUp: [keys].flat(), options: rest[0] }));
    while (!released && [keys].flat().includes("waits-for-kv.example")) await scheduler.wait(5);
    if ([keys].flat().includes("slow-kv.example")) await scheduler.wait(1000);
    return hostnames.get(keys, ...rest);
  },
});

export default {
  ...dispatcher,
  fetch(request, env, context) {
    const faulty = { ...env, DISPATCHER_PRODUCTION: namespace, ANALYTICS: dataSet, HOSTNAMES: withLog(env.HOSTNAMES) };
    const waitUntil = (promise) => {
      console.log(JSON.stringify({ waitUntil: new URL(request.url).host }));
      context.waitUntil(promise);
    };
    return dispatcher.fetch(request, faulty, { waitUntil });
  },
};
