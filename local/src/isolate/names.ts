import { OWN_MODULE_PREFIX } from "../deploy/modules.ts";

/**
 * What the platform and the modules in the isolates of user Workers (`*.isolate.js`) agree on. `worker-code.ts` adds it to each isolate as
 * the module `__local_platform__names.js`.
 */
export const NAMES = {
  /** Names under which `env` holds stubs of host entrypoints until the platform's modules remove them, before the script runs. */
  stubs: {
    cache: `${OWN_MODULE_PREFIX}cache`,
    sockets: `${OWN_MODULE_PREFIX}sockets`,
    objects: `${OWN_MODULE_PREFIX}objects`,
  },
  /** The header and the query with the number of Worker invocations of a request: `depth.isolate.js`. */
  depthHeader: "x-local-platform-depth",
  depthQuery: `${OWN_MODULE_PREFIX}depth`,
  /** The most Worker invocations of a request, and the platform's error for more. */
  maxInvocations: 32,
  depthExceeded:
    "Subrequest depth limit exceeded. This request recursed through Workers too many times. This can happen e.g. if you have a Worker " +
    "or Durable Object that calls other Workers or objects recursively.",
  /**
   * The header with the Durable Object that a request is for: its id, and `unnamed` or `named` and the name in a URI encoding. A call has
   * the same in its path.
   */
  objectHeader: "x-local-platform-object",
  /** The header that makes a request an alarm, with its `alarmInfo`. Only the host of an object sends it. */
  alarmHeader: "x-local-platform-alarm",
  /** The member of a facet's `props` with the id, the name, and the stub of `ObjectAlarms`. */
  objectProps: `${OWN_MODULE_PREFIX}object`,
  /** The member of the `props` of a facet that a script started, with its id and the script's props: `facets.isolate.js`. */
  facetProps: `${OWN_MODULE_PREFIX}facet`,
  /** What surrounds the Worker and the request in a line of the console: `console.isolate.js`. */
  consoleOrigin: { start: "\u0001", end: "\u0002", endOfValue: "\u0003" },
  /** The entrypoint of every pooled isolate: the class of `end.isolate.js`. */
  endEntrypoint: "IsolateEnd",
  /** The entrypoint of the isolate of a script that calls its `tail` handler: the class of `tail.isolate.js`. */
  tailEntrypoint: "TailReceiver",
} as const;
