// What a client is told, and what the log holds, of a request that no user Worker answered.

import type { Binding, Environment } from "./environments";
import { page } from "./page";
import type { Route } from "./routing";

export type Env = Partial<Record<Binding, DispatchNamespace>> & {
  ROUTES?: unknown;
  LOCALHOST?: string;
  HOSTNAMES?: KVNamespace;
  ANALYTICS?: AnalyticsEngineDataset;
};

const ERRORS_PAGE = "https://github.com/drivly/dispatch.do/blob/main/docs/errors.md";
const CHECK_HOST = "Check the spelling of the host.";
const GO_ON = "If it goes on, give the request id to whoever runs this site.";

export const CODES = {
  HOST_UNKNOWN: [404, "Nothing is served at this address", `${CHECK_HOST} If it is yours, a rule or a custom hostname has to name it.`],
  ENVIRONMENT_UNKNOWN: [404, "There is no such environment", "Check the spelling of the environment in the host, or leave it out to reach production."],
  WORKER_NAME_INVALID: [404, "This is no Worker's name", CHECK_HOST],
  WORKER_NOT_DEPLOYED: [404, "Nothing is deployed here yet", `${CHECK_HOST} If it is yours, deploy the Worker to this environment.`],
  WORKER_FAILED: [502, "The Worker behind this address failed", `Try again. ${GO_ON}`],
  WORKER_LIMIT_EXCEEDED: [503, "The Worker behind this address reached a limit", `Try again with less to do. ${GO_ON}`],
  DISPATCH_UNAVAILABLE: [503, "The platform cannot serve this address right now", "Try again in a minute. If it goes on, give the request id to whoever runs the platform."],
  CONFIGURATION_INVALID: [500, "The platform is misconfigured", "Whoever runs the platform finds the reason in its log, under the request id."],
} as const;

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

export function ofGet(error: unknown, route: Route): Failure {
  const message = messageOf(error);
  return SENTENCES[0][0].test(message) ? ofFetch(error, route) : unavailable(`get threw: ${message}`, route);
}

export function ofFetch(error: unknown, route: Route): Failure {
  const message = messageOf(error);
  const code = SENTENCES.find(([sentence]) => sentence.test(message))?.[1] ?? "WORKER_FAILED";
  switch (code) {
    case "DISPATCH_UNAVAILABLE":
      return unavailable(message, route);
    case "WORKER_NOT_DEPLOYED":
      return new Failure(code, `this address leads to a Worker that is not deployed in ${route.environment}`, message, route);
    case "WORKER_LIMIT_EXCEEDED":
      return new Failure(code, "the Worker used more CPU time, or made more subrequests, than one request may", message, route);
    default:
      return new Failure(code, "the Worker threw an error in place of an answer", message, route);
  }
}

export function answer(request: Request, env: Env, failure: Failure): Response {
  const { code, target } = failure;
  const [status, title, fix] = CODES[code];
  const ray = request.headers.get("cf-ray");
  const requestId = ray && /^[A-Za-z0-9-]{1,64}$/.test(ray) ? ray : crypto.randomUUID();
  const host = new URL(request.url).hostname;
  const { environment, worker, rule } = target;
  const cause = failure.cause.slice(0, 2048);
  console.error(JSON.stringify({ code, status, host, environment, worker, rule, request_id: requestId, cause }));
  env.ANALYTICS?.writeDataPoint({
    indexes: [worker ?? host],
    blobs: [code, environment ?? "", worker ?? "", rule ?? "", host],
    doubles: [status],
  });
  const detail = `${failure.detail[0].toUpperCase()}${failure.detail.slice(1)}.`;
  const problem = { type: `${ERRORS_PAGE}#${code.toLowerCase()}`, title, status, detail, code, fix, request_id: requestId };
  const html = prefersHtml(request.headers.get("accept") ?? "");
  return new Response(html ? page(problem) : JSON.stringify(problem), {
    status,
    headers: {
      "Content-Type": html ? "text/html; charset=utf-8" : "application/problem+json",
      "Cache-Control": "no-store",
      "X-Dispatch-Error": code,
    },
  });
}

export type Problem = { type: string; title: string; status: number; detail: string; code: string; fix: string; request_id: string };

/** Whether a client asks for HTML more than for JSON. */
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
