// A dispatcher in TypeScript with every feature of this repository's: the same rules and grammar, the same validation of
// hosts, the same sanitizing of headers, the same errors, pages and log lines, custom hostnames and analytics.

import { health, isHealthRequest } from "./same-features/health";
import { Hostnames } from "./same-features/hostnames";
import { type Env, Failure, answer, fromFetchError, fromGetError, unavailable } from "./same-features/failure";
import { withPrefixInLocation } from "./same-features/location";
import { type Refusal, type Route, Router } from "./same-features/routing";
import { type Rule, parseRoutes } from "./same-features/rules";

interface Isolate {
  router?: Router;
  misconfigured?: string;
  hostnames?: Hostnames;
}

let isolate: Isolate | undefined;

function load(env: Env): Isolate {
  const hostnames = env.HOSTNAMES && new Hostnames(env.HOSTNAMES);
  try {
    const rules: Rule[] = parseRoutes(env.ROUTES, env.LOCALHOST);
    return { router: new Router(rules), hostnames };
  } catch (error) {
    return { misconfigured: String(error), hostnames };
  }
}

const FORBIDDEN_REQUEST_HEADERS = ["Cloudflare-Workers-Version-Overrides", "Cloudflare-Workers-Version-Key", "X-Forwarded-Prefix"];

function forwarded(request: Request, route: Route): Request {
  const { headers } = request;
  const [overrides, key, prefix] = FORBIDDEN_REQUEST_HEADERS;
  if (route.prefix === undefined && !headers.has(overrides) && !headers.has(key) && !headers.has(prefix)) return request;
  const rebuilt = new Request(route.url ?? request.url, request);
  for (const name of FORBIDDEN_REQUEST_HEADERS) rebuilt.headers.delete(name);
  if (route.prefix !== undefined) rebuilt.headers.set("X-Forwarded-Prefix", route.prefix);
  return rebuilt;
}

function isRoute(found: Route | Refusal): found is Route {
  return "binding" in found;
}

// No function that an ordinary request passes is `async`: one more promise for each request would cost a tenth of the
// whole dispatch.
function dispatch(request: Request, env: Env, route: Route): Response | Promise<Response> {
  const namespace = env[route.binding];
  if (!namespace) return failed(request, env, unavailable(`the binding ${route.binding} is missing`, route));
  try {
    const worker: Fetcher | Promise<Fetcher> = route.options
      ? namespace.get(route.worker, {}, route.options)
      : namespace.get(route.worker);
    // On the local platform `get` returns a promise.
    if (!isPromise(worker)) return deliver(request, env, route, worker);
    return worker.then(
      (found) => deliver(request, env, route, found),
      (error: unknown) => failed(request, env, fromGetError(error, route)),
    );
  } catch (error) {
    return failed(request, env, fromGetError(error, route));
  }
}

function isPromise(worker: Fetcher | Promise<Fetcher>): worker is Promise<Fetcher> {
  return "then" in worker;
}

function deliver(request: Request, env: Env, route: Route, worker: Fetcher): Promise<Response> {
  const { prefix } = route;
  let finish: ((response: Response) => Response) | undefined;
  if (prefix !== undefined) {
    finish = (response) => {
      record(request, env, route, response);
      return withPrefixInLocation(response, request.url, prefix);
    };
  } else if (env.ANALYTICS) {
    finish = (response) => record(request, env, route, response);
  }
  return worker
    .fetch(forwarded(request, route))
    .then(finish, (error: unknown) => failed(request, env, fromFetchError(error, route)));
}

function record(request: Request, env: Env, route: Route, response: Response): Response {
  env.ANALYTICS?.writeDataPoint({
    indexes: [route.worker.slice(0, 96)],
    blobs: ["", route.environment, route.worker, route.rule, new URL(request.url).host],
    doubles: [response.status],
  });
  return response;
}

async function refused(request: Request, env: Env, refusal: Refusal, hostnames?: Hostnames): Promise<Response> {
  if (refusal.code === "HOST_UNKNOWN" && refusal.host !== undefined && hostnames) {
    try {
      const route = await hostnames.route(refusal.host);
      if (route) return await dispatch(request, env, route);
    } catch (error) {
      return failed(request, env, error);
    }
  }
  if (refusal.code === "HOST_UNKNOWN" && isHealthRequest(request)) return health(request, env);
  const target = refusal.rule ? { rule: refusal.rule } : {};
  return failed(request, env, new Failure(refusal.code, refusal.reason, refusal.reason, target));
}

function failed(request: Request, env: Env, error: unknown): Response {
  return answer(request, env, error instanceof Failure ? error : unavailable(String(error)));
}

export default {
  fetch(request, env) {
    isolate ??= load(env);
    try {
      if (!isolate.router) {
        const detail = "the routing configuration cannot be loaded";
        throw new Failure("CONFIGURATION_INVALID", detail, isolate.misconfigured ?? "");
      }
      const found = isolate.router.route(request.url);
      return isRoute(found) ? dispatch(request, env, found) : refused(request, env, found, isolate.hostnames);
    } catch (error) {
      return failed(request, env, error);
    }
  },
} satisfies ExportedHandler<Env>;
