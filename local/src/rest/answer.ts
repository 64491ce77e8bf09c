import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import { startPage } from "../start-page.ts";
import { checkHost, checkOrigin, checkToken } from "./access.ts";
import { failure } from "./envelope.ts";
import { matchRoute, type Method } from "./route.ts";
import { ROUTES } from "./routes.ts";

const BASE = "/client/v4";

/** Answers a request to the REST API, or for the start page. Never rejects. */
export async function answer(platform: Platform, request: Request): Promise<Response> {
  try {
    checkHost(request);
    const url = new URL(request.url);
    // A link to the start page may stand anywhere; what the page shows, another origin cannot read.
    if (url.pathname === "/") return await startPage(platform, url);
    checkOrigin(request);
    return await answerCall(platform, request, url);
  } catch (cause) {
    if (cause instanceof Refusal) return failure(cause);
    console.error("the local platform failed", cause);
    return failure(
      new Refusal(
        "PLATFORM_FAILED",
        `The local platform failed, and its log says why: ${cause instanceof Error ? cause.message : String(cause)}`,
      ),
    );
  }
}

async function answerCall(platform: Platform, request: Request, url: URL): Promise<Response> {
  const path = url.pathname.startsWith(`${BASE}/`) ? url.pathname.slice(BASE.length) : null;
  const matched = path === null ? null : matchRoute(ROUTES, path);
  if (!matched?.route.ownToken) await checkToken(request, platform.environment.LOCAL_API_TOKEN);
  if (matched === null) {
    throw new Refusal(
      "ROUTE_UNKNOWN",
      `Could not route to ${url.pathname}: the local platform has no such call. docs/local-platform.md lists what it has.`,
    );
  }
  const { route, parameters } = matched;
  const handler = route.methods[request.method as Method];
  if (!handler) {
    throw new Refusal(
      "METHOD_NOT_ALLOWED",
      `${request.method} is not possible for ${url.pathname}. Possible: ${Object.keys(route.methods).join(", ")}.`,
    );
  }
  const account = parameters["account"];
  if (account !== undefined && account !== platform.environment.ACCOUNT_ID) {
    throw new Refusal(
      "ACCESS_FORBIDDEN",
      `The account ${account} does not exist on the local platform. Set CLOUDFLARE_ACCOUNT_ID to ${platform.environment.ACCOUNT_ID}.`,
    );
  }
  return await handler({ platform, request, query: url.searchParams, parameters });
}
