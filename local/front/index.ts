import { destination, localPath } from "./destination.ts";
import { refusal } from "./foreign-page.ts";
import { Upload } from "./upload.ts";

interface Environment {
  /** The deploy API, or in tests of the REST API itself the local platform. */
  readonly API: Fetcher;
  /** The dispatch Worker. */
  readonly DISPATCHER: Fetcher;
  /** The entrypoint of the local platform that serves account Workers. */
  readonly ACCOUNT_WORKERS: Fetcher;
  /** The local platform. */
  readonly LOCAL: Fetcher;
  /** The entrypoint of the local platform that runs crons. */
  readonly CRONS: Fetcher;
  /** The secret of the requests that come through the platform's port. */
  readonly FRONT_SECRET: string;
}

/** The header with the secret, which the platform's port adds: `xtask/src/platform/guard/`. */
const SECRET_HEADER = "x-dotdo-front-secret";

/** The prefix of the headers that Workers of the platform send to each other. A client cannot send them. */
const PLATFORM_PREFIX = "x-local-platform-";

/** The header with the id of a request. */
const RAY_HEADER = "cf-ray";

/** The path by which the supervisor of the runtime finds out whether it responds. Clients cannot reach paths below `/cdn-cgi/`. */
const ALIVE = "/cdn-cgi/local-platform/alive";

/** The path by which the supervisor runs the crons of a minute. */
const CRONS = "/cdn-cgi/local-platform/crons";

/**
 * Refuses what a web page elsewhere sends. Every other request and its response are passed on with their streams, their WebSockets,
 * and the signal of a client that goes away.
 */
export default {
  async fetch(request, environment, context) {
    const headers = new Headers(request.headers);
    if (environment.FRONT_SECRET === "" || headers.get(SECRET_HEADER) !== environment.FRONT_SECRET) {
      return refused("This port belongs to the runtime. Use the port that `npm run dev` prints.");
    }
    headers.delete(SECRET_HEADER);
    const local = new URL(request.url);
    if (local.pathname === ALIVE) return new Response(null, { status: 204 });
    if (local.pathname === CRONS) return await environment.CRONS.fetch(request.url);
    // Cloudflare sets it too. Here a client may choose it, to find its request in the logs.
    if (!headers.has(RAY_HEADER)) headers.set(RAY_HEADER, newRay());
    for (const name of [...headers.keys()]) if (name.startsWith(PLATFORM_PREFIX)) headers.delete(name);
    const { method, url } = request;
    const to = destination({ method, url, accept: headers.get("accept") });
    const reason = refusal({ method, url, headers }, isApi(to, url) ? "API" : to);
    if (reason !== null) return refused(reason);
    const upload = Upload.of(request, context);
    const passed = new Request(request, upload === null ? { headers } : { headers, body: upload.readable });
    local.pathname = localPath(local.pathname);
    const response = await environment[to].fetch(to === "LOCAL" ? new Request(local, passed) : passed);
    return upload === null ? response : await upload.answered(response, context);
  },
} satisfies ExportedHandler<Environment>;

/** Whether a request is a call of an API: of the deploy API, or of the local platform below `/client/v4/local`. */
function isApi(to: string, url: string): boolean {
  return to === "API" || (to === "LOCAL" && new URL(url).pathname !== "/");
}

/** An id in the form of Cloudflare's: 16 hexadecimal digits and the name of a data center. */
function newRay(): string {
  const digits = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0"));
  return `${digits.join("")}-LOCAL`;
}

function refused(reason: string): Response {
  return new Response(`${reason}\n`, {
    status: 403,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  });
}
