// A dispatcher in TypeScript with every feature of this repository's: the same rules and grammar, the same host and
// header hygiene, the same errors, documents, pages and log lines, custom hostnames and analytics.

import { asksForHealth, health } from "./same-features/health";
import { Hostnames } from "./same-features/hostnames";
import { type Env, Failure, answer, ofFetch, ofGet, unavailable } from "./same-features/failure";
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

const WITHHELD = ["Cloudflare-Workers-Version-Overrides", "Cloudflare-Workers-Version-Key", "X-Forwarded-Prefix"];

function forwarded(request: Request, route: Route): Request {
  const { headers } = request;
  if (route.prefix === undefined && !headers.has(WITHHELD[0]) && !headers.has(WITHHELD[1]) && !headers.has(WITHHELD[2])) {
    return request;
  }
  const rebuilt = new Request(route.url ?? request.url, request);
  for (const name of WITHHELD) rebuilt.headers.delete(name);
  if (route.prefix !== undefined) rebuilt.headers.set("X-Forwarded-Prefix", route.prefix);
  return rebuilt;
}

function isRoute(found: Route | Refusal): found is Route {
  return "binding" in found;
}

// Nothing on the way of an ordinary request is `async`: one more promise and turn of the loop for each would cost a
// tenth of the whole dispatch.
function dispatch(request: Request, env: Env, route: Route): Response | Promise<Response> {
  const namespace = env[route.binding];
  if (!namespace) return failed(request, env, unavailable(`the binding ${route.binding} is missing`, route));
  try {
    const worker: Fetcher | Promise<Fetcher> = route.options
      ? namespace.get(route.worker, {}, route.options)
      : namespace.get(route.worker);
    // On one machine `get` answers a promise.
    if (!isPromise(worker)) return deliver(request, env, route, worker);
    return worker.then(
      (found) => deliver(request, env, route, found),
      (error: unknown) => failed(request, env, ofGet(error, route)),
    );
  } catch (error) {
    return failed(request, env, ofGet(error, route));
  }
}

function isPromise(worker: Fetcher | Promise<Fetcher>): worker is Promise<Fetcher> {
  return "then" in worker;
}

function deliver(request: Request, env: Env, route: Route, worker: Fetcher): Promise<Response> {
  const answered = worker.fetch(forwarded(request, route));
  return answered.then(
    env.ANALYTICS && ((response) => record(request, env, route, response)),
    (error: unknown) => failed(request, env, ofFetch(error, route)),
  );
}

function record(request: Request, env: Env, route: Route, response: Response): Response {
  env.ANALYTICS?.writeDataPoint({
    indexes: [route.worker],
    blobs: ["", route.environment, route.worker, route.rule, new URL(request.url).hostname],
    doubles: [response.status],
  });
  return response;
}

async function unserved(request: Request, env: Env, refusal: Refusal, hostnames?: Hostnames): Promise<Response> {
  if (refusal.code === "HOST_UNKNOWN" && refusal.host !== undefined && hostnames) {
    try {
      const route = await hostnames.route(refusal.host);
      if (route) return await dispatch(request, env, route);
    } catch (error) {
      return failed(request, env, error);
    }
  }
  if (refusal.code === "HOST_UNKNOWN" && asksForHealth(request.url)) return health(request, env);
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
        const detail = "the configuration that says where this request goes cannot be loaded";
        throw new Failure("CONFIGURATION_INVALID", detail, isolate.misconfigured ?? "");
      }
      const found = isolate.router.route(request.url);
      return isRoute(found) ? dispatch(request, env, found) : unserved(request, env, found, isolate.hostnames);
    } catch (error) {
      return failed(request, env, error);
    }
  },
} satisfies ExportedHandler<Env>;
