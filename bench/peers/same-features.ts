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

async function dispatch(request: Request, env: Env, route: Route): Promise<Response> {
  const namespace = env[route.binding];
  if (!namespace) {
    throw unavailable(`the binding ${route.binding} is missing`, route);
  }
  let worker: Fetcher;
  try {
    worker = route.options ? namespace.get(route.worker, {}, route.options) : namespace.get(route.worker);
    // On one machine `get` answers a promise. `await` on a stub of the platform would cost a turn of the loop.
    if ("then" in worker) worker = await (worker as unknown as Promise<Fetcher>);
  } catch (error) {
    throw ofGet(error, route);
  }
  try {
    return await worker.fetch(forwarded(request, route));
  } catch (error) {
    throw ofFetch(error, route);
  }
}

async function unserved(request: Request, env: Env, refusal: Refusal): Promise<Response> {
  if (refusal.code === "HOST_UNKNOWN" && refusal.host !== undefined && isolate?.hostnames) {
    const route = await isolate.hostnames.route(refusal.host);
    if (route) return await dispatch(request, env, route);
  }
  if (refusal.code === "HOST_UNKNOWN" && asksForHealth(request.url)) return health(request, env);
  throw new Failure(refusal.code, refusal.reason, refusal.reason, refusal.rule ? { rule: refusal.rule } : {});
}

export default {
  async fetch(request, env) {
    isolate ??= load(env);
    try {
      if (!isolate.router) {
        const detail = "the configuration that says where this request goes cannot be loaded";
        throw new Failure("CONFIGURATION_INVALID", detail, isolate.misconfigured ?? "");
      }
      const found = isolate.router.route(request.url);
      if (!isRoute(found)) return await unserved(request, env, found);
      const response = await dispatch(request, env, found);
      if (env.ANALYTICS) {
        env.ANALYTICS.writeDataPoint({
          indexes: [found.worker],
          blobs: ["", found.environment, found.worker, found.rule, new URL(request.url).hostname],
          doubles: [response.status],
        });
      }
      return response;
    } catch (error) {
      return answer(request, env, error instanceof Failure ? error : unavailable(String(error)));
    }
  },
} satisfies ExportedHandler<Env>;
