/** What a request on the one port is for. */
export type Destination = "API" | "DISPATCHER" | "LOCAL" | "ACCOUNT_WORKERS";

/** What decides. */
export interface Arrival {
  readonly method: string;
  /** The URL that the client asked for, with the host of its `Host` header. */
  readonly url: string;
  /** The `Accept` header. */
  readonly accept: string | null;
}

/** Names of this machine alone. A user Worker's host is never one of them: those end in `.localhost` or a real domain. */
const BARE_LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** The hosts of account Workers: `NAME.workers.dev.localhost`. */
const ACCOUNT_WORKERS = /(^|\.)workers\.dev\.localhost\.?$/;

/** The paths that clients of Cloudflare's API call first, without its base path. */
const MISPLACED = ["/accounts", "/user", "/memberships", "/zones"];

/**
 * The base path of the local platform's own REST API, which is reached without the deploy API in between: for the resources of the account,
 * such as KV namespaces, which the deploy API does not change.
 */
const ACCOUNT_BASE = "/account";

/** The path within the local platform. */
export function localPath(pathname: string): string {
  const path = pathname.replace(/^\/+/, "/");
  return isUnder(path, `${ACCOUNT_BASE}/client/v4`) ? path.slice(ACCOUNT_BASE.length) : pathname;
}

/**
 * Where a request goes. On a bare loopback name, the API's paths go to the deploy API, what only a local platform has
 * goes to the local platform, and so does a browser that opens the start page. Hosts of account Workers go to these. Everything else
 * is the dispatch Worker's.
 */
export function destination({ method, url, accept }: Arrival): Destination {
  const { hostname, pathname: sent } = new URL(url);
  if (ACCOUNT_WORKERS.test(hostname)) return "ACCOUNT_WORKERS";
  if (!BARE_LOOPBACK.has(hostname)) return "DISPATCHER";
  // A base URL that ends in a slash puts a second one before the path.
  const pathname = sent.replace(/^\/+/, "/");
  if (isUnder(pathname, "/client/v4/local") || isUnder(pathname, `${ACCOUNT_BASE}/client/v4`)) return "LOCAL";
  if (isUnder(pathname, "/client/v4") || isUnder(pathname, "/v1")) return "API";
  // Calls of Cloudflare's API below a wrong base URL: the deploy API names the right one.
  if (MISPLACED.some((folder) => isUnder(pathname, folder))) return "API";
  const opensStartPage =
    pathname === "/" && (method === "GET" || method === "HEAD") && (accept ?? "").includes("text/html");
  return opensStartPage ? "LOCAL" : "DISPATCHER";
}

function isUnder(pathname: string, folder: string): boolean {
  return pathname === folder || pathname.startsWith(`${folder}/`);
}
