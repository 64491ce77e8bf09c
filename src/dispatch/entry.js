// The Worker's entry, in place of the class and the two proxies per request that worker-build generates.
//
// A panic in Wasm is a trap: the instance is replaced, the request is answered with an error, and the next one works.
import * as wasm from "./index.js";
import { Trapped, reinstantiate } from "./in_flight.js";

export { NamespaceService } from "./namespace_service.js";

/** Calls an export of the Wasm. None of them throws by itself, so an exception is a trap. */
function guarded(run, request, second, third, fourth) {
  try {
    return run(request, second, third, fourth);
  } catch (trap) {
    reinstantiate(trap);
    return trapped(request, trap);
  }
}

/** The response to a request whose handling trapped. */
function trapped(request, trap) {
  try {
    return wasm.trapped(request, String(trap));
  } catch (second) {
    reinstantiate(second);
    const headers = { "X-Dispatch-Error": "DISPATCH_UNAVAILABLE", "Cache-Control": "no-store", "Retry-After": "5" };
    return new Response("The dispatch Worker failed. Try again.\n", { status: 503, headers });
  }
}

// Not `async`: another promise for each request costs a tenth of a dispatch.
function dispatch(request, env, context) {
  const response = guarded(wasm.fetch, request, env, context);
  if (!(response instanceof Promise)) return response;
  return response.then(undefined, (error) => {
    if (!(error instanceof Trapped)) return guarded(wasm.rejected, request, env, error, context);
    return error.mayRestart ? dispatch(request, env, context) : trapped(request, error);
  });
}

export default { fetch: dispatch };
