// The response, the log line and the data point of a request that no user Worker answered.

import type { Binding, Environment } from "./environments";
import { page, type Problem } from "./page";
import type { Route } from "./routing";

export type Env = Partial<Record<Binding, DispatchNamespace>> & {
  ROUTES?: unknown;
  LOCALHOST?: string;
  HOSTNAMES?: KVNamespace;
  ANALYTICS?: AnalyticsEngineDataset;
  /** `1`: expected refusals are logged too. */
  LOG_REFUSALS?: string;
};

const CHECK_HOST = "Check the spelling of the host.";
const REPORT = "If the error persists, send the request id to the operator of this site.";

interface Facts {
  status: number;
  title: string;
  fix: string;
  /** Expected under ordinary traffic, so it is logged only with `LOG_REFUSALS`. */
  refusal?: true;
  /** In seconds. */
  retryAfter?: number;
}

const CODES = {
  HOST_UNKNOWN: { status: 404, refusal: true, title: "No Worker is configured for this host", fix: `${CHECK_HOST} To serve it, add a rule or a custom hostname.` },
  ENVIRONMENT_UNKNOWN: { status: 404, refusal: true, title: "The environment does not exist", fix: "Use staging, dev or development in the host, or leave it out for production." },
  WORKER_NAME_INVALID: { status: 404, refusal: true, title: "The Worker name is not valid", fix: CHECK_HOST },
  WORKER_NOT_DEPLOYED: { status: 404, refusal: true, title: "The Worker is not deployed", fix: `${CHECK_HOST} To serve it, deploy the Worker to this environment.` },
  WORKER_FAILED: { status: 502, title: "The Worker failed", fix: `Try again. ${REPORT}` },
  WORKER_LIMIT_EXCEEDED: { status: 503, retryAfter: 1, title: "The Worker exceeded a limit", fix: `Try again with a smaller request. ${REPORT}` },
  DISPATCH_UNAVAILABLE: { status: 503, retryAfter: 5, title: "The platform is unavailable", fix: `Try again in a few seconds. ${REPORT}` },
  CONFIGURATION_INVALID: { status: 500, title: "The platform's configuration is not valid", fix: "The operator finds the reason in the log, under the request id." },
} satisfies Record<string, Facts>;

type Code = keyof typeof CODES;

interface Target {
  environment?: Environment;
  worker?: string;
  rule?: string;
}

export class Failure {
  constructor(
    readonly code: Code,
    readonly detail: string,
    readonly cause: string,
    readonly target: Target = {},
  ) {}
}

export function unavailable(cause: string, target?: Target): Failure {
  return new Failure("DISPATCH_UNAVAILABLE", "the request did not reach a Worker", cause, target);
}

const SENTENCES: [RegExp, Code][] = [
  [/^\s*(?:error:\s*)?worker not found\s*(?:[.;]|$)/i, "WORKER_NOT_DEPLOYED"],
  [/^\s*(?:error:\s*)?(?:(?:worker )?exceeded )?cpu time limit\s*(?:[.;]|$)/i, "WORKER_LIMIT_EXCEEDED"],
  [/^\s*(?:error:\s*)?too many subrequests(?: by single worker invocation)?\s*(?:[.;]|$)/i, "WORKER_LIMIT_EXCEEDED"],
  [/^\s*(?:error:\s*)?internal error\s*(?:[.;]|$)/i, "DISPATCH_UNAVAILABLE"],
];

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function fromGetError(error: unknown, route: Route): Failure {
  const message = messageOf(error);
  return SENTENCES[0][0].test(message) ? fromFetchError(error, route) : unavailable(`get threw: ${message}`, route);
}

export function fromFetchError(error: unknown, route: Route): Failure {
  const message = messageOf(error);
  const code = SENTENCES.find(([sentence]) => sentence.test(message))?.[1] ?? "WORKER_FAILED";
  switch (code) {
    case "DISPATCH_UNAVAILABLE":
      return unavailable(message, route);
    case "WORKER_NOT_DEPLOYED":
      return new Failure(code, `the Worker for this host is not deployed in ${route.environment}`, message, route);
    case "WORKER_LIMIT_EXCEEDED":
      return new Failure(code, "the Worker used more CPU time or more subrequests than one request may", message, route);
    default:
      return new Failure(code, "the Worker threw an error", message, route);
  }
}

export function answer(request: Request, env: Env, failure: Failure): Response {
  const { code, target } = failure;
  const { status, title, fix, refusal, retryAfter }: Facts = CODES[code];
  const ray = request.headers.get("cf-ray");
  const requestId = ray && /^[A-Za-z0-9-]{1,64}$/.test(ray) ? ray : crypto.randomUUID();
  const { host } = new URL(request.url);
  const { environment, worker, rule } = target;
  if (!refusal || env.LOG_REFUSALS === "1") {
    const cause = failure.cause.slice(0, 2048);
    const line = JSON.stringify({ code, status, host, environment, worker, rule, request_id: requestId, cause });
    if (refusal) console.info(line);
    else console.error(line);
  }
  env.ANALYTICS?.writeDataPoint({
    indexes: [(worker ?? host).slice(0, 96)],
    blobs: [code, environment ?? "", worker ?? "", rule ?? "", host],
    doubles: [status],
  });
  const detail = `${failure.detail[0].toUpperCase()}${failure.detail.slice(1)}.`;
  const problem = { type: `${ERRORS_PAGE}#${code.toLowerCase()}`, title, status, detail, code, fix, request_id: requestId };
  const html = prefersHtml(request.headers.get("accept") ?? "");
  const headers: Record<string, string> = {
    "Content-Type": html ? "text/html; charset=utf-8" : "application/problem+json",
    "X-Dispatch-Error": code,
    "X-Request-Id": requestId,
    ...OWN_HEADERS,
  };
  if (html) headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'";
  if (retryAfter) headers["Retry-After"] = String(retryAfter);
  const body = request.method === "HEAD" ? null : html ? page(problem) : JSON.stringify(problem);
  return new Response(body, { status, headers });
}

/** The headers of every response that is the dispatcher's own. */
export const OWN_HEADERS = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" };

/** Whether a client prefers HTML to JSON. */
function prefersHtml(accept: string): boolean {
  if (!accept.includes("text/")) return false;
  let page = [0, 0];
  let json = [0, 0];
  for (const element of accept.split(",")) {
    const [range, ...parameters] = element.split(";").map((part) => part.trim().toLowerCase());
    const weight = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1);
    const any = range === "*/*" ? 1 : 0;
    const forPage = range === "text/html" ? 3 : range === "text/*" ? 2 : any;
    const forJson = range === "application/problem+json" || range === "application/json" ? 3 : range === "application/*" ? 2 : any;
    if (forPage > page[1] || (forPage === page[1] && forPage > 0 && weight > page[0])) page = [weight, forPage];
    if (forJson > json[1] || (forJson === json[1] && forJson > 0 && weight > json[0])) json = [weight, forJson];
  }
  return page[0] > 0 && (page[0] > json[0] || (page[0] === json[0] && page[1] > json[1]));
}
