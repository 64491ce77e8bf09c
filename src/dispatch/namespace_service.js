// The entrypoint of service bindings between the Workers of one namespace. Cloudflare resolves a service binding only to Workers of the
// account, so the deploy API replaces a binding to a Worker of the namespace by a binding to this entrypoint. Its props name the
// environment and the Worker. Only the deploy API sets them, and no request of a client reaches this entrypoint.
import { WorkerEntrypoint } from "cloudflare:workers";
import { serviceRejected } from "./index.js";

/** The bindings of the namespaces, by environment. */
const NAMESPACES = {
  __proto__: null,
  production: "DISPATCHER_PRODUCTION",
  staging: "DISPATCHER_STAGING",
  development: "DISPATCHER_DEVELOPMENT",
};

/** The names of Workers: see docs/routing.md. */
const WORKER_NAME = /^(?!.*--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Forwards `fetch` and RPC to the default entrypoint of the Worker that the props name.
 *
 * The constructor throws if the props are missing or invalid, so the caller's request or call fails.
 */
export class NamespaceService extends WorkerEntrypoint {
  constructor(context, env) {
    super(context, env);
    const { environment, worker, ...others } = context.props ?? {};
    const binding = NAMESPACES[environment];
    if (binding === undefined || typeof worker !== "string" || !WORKER_NAME.test(worker) || Object.keys(others).length > 0) {
      throw new TypeError("NamespaceService needs the props that the deploy API sets: the environment and the Worker.");
    }
    const namespace = env[binding];
    if (namespace === undefined) throw new Error(`DISPATCH_UNAVAILABLE: the dispatch Worker has no binding ${binding}.`);
    const stub = namespace.get(worker);
    const rejected = (error, request) => serviceRejected(request, env, environment, worker, error, context);
    const fetch = async (request) => {
      try {
        // On the local platform, and under `wrangler dev`, `get` returns a promise.
        return await (await stub).fetch(request);
      } catch (error) {
        const response = rejected(error, request);
        if (response === undefined) throw error;
        return response;
      }
    };
    const failed = (error) => {
      const text = rejected(error);
      throw text === undefined ? error : new Error(text);
    };
    return new Proxy(this, {
      get(target, name) {
        if (name === "fetch") return fetch;
        // The runtime reads symbols and the constructor. With `then`, this object would be a promise.
        if (typeof name === "symbol" || name === "constructor" || name === "then") return Reflect.get(target, name);
        return member(stub[name], failed);
      },
    });
  }
}

/**
 * A member of a stub, which the caller calls or awaits: it is a function and a promise, as the stub's own. An async function in its place
 * could not be a getter.
 */
function member(stub, failed) {
  return new Proxy(() => {}, {
    apply: (_target, _receiver, values) => stub(...values).catch(failed),
    get: (_target, name) => (name === "then" ? (resolve, reject) => stub.catch(failed).then(resolve, reject) : undefined),
  });
}
