// The Durable Object classes of a script as the runtime gets them, and `ctx.exports` as the script sees it. An object runs as a facet of
// a host object (`host.ts`). The runtime gives a facet no alarm, and its id is only a string; this module adds both.
import { env } from "cloudflare:workers";
import objectNamespace, { ObjectId } from "./__local_platform__/bindings/durable_object_namespace/setup.js";
import { addFacets, replaceClasses } from "./__local_platform__facets.js";
import names from "./__local_platform__names.js";

/** The names of the platform's entrypoints in this isolate. */
const HIDDEN_EXPORTS = [names.endEntrypoint, names.tailEntrypoint];

const hosts = env[names.stubs.objects];
delete env[names.stubs.objects];

let exportsReplaced = false;

/** Replaces the classes in `ctx.exports` with their namespaces. All invocations in this isolate have one object of exports. */
export function replaceExports({ exports }) {
  if (exportsReplaced || exports === undefined) return;
  exportsReplaced = true;
  for (const name of HIDDEN_EXPORTS) delete exports[name];
  replaceClasses(exports, Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, objectNamespace(host)])));
}

/** A class of the script, with the members of the context that the runtime does not give to a facet. */
export function objectClass(exported) {
  const { prototype } = exported;
  return class extends exported {
    #alarms;

    constructor(context, env) {
      replaceExports(context);
      const alarms = setUp(context, typeof prototype.alarm === "function");
      super(context, env);
      this.#alarms = alarms;
      if (alarms) alarms.isConstructed = true;
    }

    async fetch(request) {
      const alarm = request.headers.get(names.alarmHeader);
      if (alarm === null && super.fetch === undefined) throw new Error("Handler does not export a fetch() function.");
      try {
        if (alarm === null) return await super.fetch(request);
        await super.alarm?.(JSON.parse(alarm));
        return new Response(null);
      } finally {
        // A response acknowledges the alarms that were set before it.
        await this.#alarms?.stored();
      }
    }
  };
}

/** Sets the members of the context that the runtime does not give to a facet. Returns the alarms of the object. */
function setUp(context, hasHandler) {
  const { [names.objectProps]: object, [names.facetProps]: facet } = context.props ?? {};
  addFacets(context);
  if (facet !== undefined) {
    // A facet that the script started has no alarms, as on Cloudflare.
    context.props = facet.props;
    if (facet.id !== null) context.id = new ObjectId(facet.id.hex, facet.id.name);
    return undefined;
  }
  // Only a class that the script took from the exports before its first event is started without a host.
  if (object === undefined) return undefined;
  const alarms = new Alarms(object.alarms, hasHandler);
  alarms.addTo(context.storage);
  context.props = {};
  context.id = new ObjectId(object.id, object.name ?? undefined);
  return alarms;
}

/** The alarm of an object, which its host stores. A transaction that is rolled back does not change it. */
class Alarms {
  isConstructed = false;
  #host;
  #hasHandler;
  /** The last change, which the host may not have stored yet. */
  #last = Promise.resolve();
  /** The changes of the transactions that run, the innermost last. A change is `{ time }`, with `null` for no alarm. */
  #transactions = [];

  constructor(host, hasHandler) {
    this.#host = host;
    this.#hasHandler = hasHandler;
  }

  /** Resolves when the host has stored every change. */
  stored() {
    return this.#last;
  }

  addTo(storage) {
    const { transaction, transactionSync, deleteAll, sync } = storage;
    define(storage, this.#methods());
    define(storage, {
      transaction: async (closure) =>
        await transaction.call(storage, async (transaction) => {
          const level = this.#begin();
          const { rollback } = transaction;
          define(transaction, this.#methods());
          define(transaction, {
            rollback: () => {
              rollback.call(transaction);
              level.isRolledBack = true;
            },
          });
          try {
            const result = await closure(transaction);
            if (!level.isRolledBack) await this.#commit(level);
            return result;
          } finally {
            this.#end(level);
          }
        }),
      transactionSync: (closure) =>
        transactionSync.call(storage, () => {
          const level = this.#begin();
          try {
            const result = closure();
            this.#commit(level);
            return result;
          } finally {
            this.#end(level);
          }
        }),
      deleteAll: async (options) => {
        await deleteAll.call(storage, options);
        if (globalThis.Cloudflare?.compatibilityFlags.delete_all_deletes_alarm) await this.#change(null);
      },
      sync: async () => {
        await this.#last;
        await sync.call(storage);
      },
    });
  }

  #methods() {
    return {
      getAlarm: async () => {
        const level = this.#transactions.findLast(({ change }) => change !== undefined);
        if (level) return level.change.time;
        await this.#last;
        return await this.#host.get();
      },
      setAlarm: async (scheduledTime) => {
        const time = Math.trunc(Number(scheduledTime));
        if (!(time > 0)) throw new TypeError("setAlarm() cannot be called with an alarm time <= 0");
        if (this.isConstructed && !this.#hasHandler) {
          throw new TypeError("Your Durable Object class must have an alarm() handler in order to call setAlarm()");
        }
        await this.#change(Math.max(time, Date.now()));
      },
      deleteAlarm: async () => {
        await this.#change(null);
      },
    };
  }

  #begin() {
    const level = { change: undefined, isRolledBack: false };
    this.#transactions.push(level);
    return level;
  }

  /** Applies the change of a transaction to the one around it. */
  #commit(level) {
    this.#end(level);
    return level.change && this.#change(level.change.time);
  }

  #end(level) {
    this.#transactions = this.#transactions.filter((other) => other !== level);
  }

  #change(time) {
    const level = this.#transactions.at(-1);
    if (level) {
      level.change = { time };
      return Promise.resolve();
    }
    const stored = this.#last.then(() => this.#host.set(time));
    this.#last = stored.catch(() => undefined);
    return stored;
  }
}

function define(object, methods) {
  for (const [name, value] of Object.entries(methods)) {
    Object.defineProperty(object, name, { value, configurable: true, writable: true });
  }
}
