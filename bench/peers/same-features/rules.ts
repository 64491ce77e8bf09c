// Rules as regular expressions over host and path.

import { type Environment, invalidWorker, ofName } from "./environments";

export interface Options {
  limits?: { cpuMs?: number; subRequests?: number };
  outbound?: Record<string, unknown>;
}

export interface Rule {
  /** Its position and its pattern. */
  name: string;
  labels: number;
  expression: RegExp;
  /** The number of literal characters. */
  literals: number;
  /** The number of the capture `{worker}`; 0 without one. */
  workerCapture: number;
  worker: (match: RegExpExecArray) => string;
  /** `undefined` when the capture `{env}` selects it. */
  environment?: Environment;
  environmentCapture: number;
  strippedSegments: number;
  options?: Options;
}

interface RouteJson {
  pattern: string;
  worker: string;
  environment?: string;
  strip_prefix?: boolean;
  limits?: { cpu_ms?: number; subrequests?: number };
  outbound?: Record<string, unknown>;
}

const BUILT_IN: RouteJson[] = [
  { pattern: "{worker}--{env}.apis.do", worker: "{worker}", environment: "{env}" },
  { pattern: "{env}.apis.do/{worker}/*", worker: "{worker}", environment: "{env}", strip_prefix: true },
  { pattern: "{worker}.{env}.do", worker: "{worker}", environment: "{env}" },
  { pattern: "{env}.{worker}.do", worker: "{worker}", environment: "{env}" },
  { pattern: "www.{worker}.do", worker: "{worker}" },
  { pattern: "{worker}.apis.do", worker: "{worker}" },
  { pattern: "apis.do/{worker}/*", worker: "{worker}", strip_prefix: true },
  { pattern: "{worker}.do", worker: "{worker}" },
];

/** The rules of `ROUTES` in front of the built-in ones. Throws when a rule is not valid. */
export function parseRoutes(routes: unknown, localhost: string | undefined): Rule[] {
  if (localhost !== undefined && localhost !== "do") throw new Error(`LOCALHOST is \`${localhost}\`: write \`do\``);
  const written: RouteJson[] = typeof routes === "string" ? JSON.parse(routes) : (routes ?? []);
  if (!Array.isArray(written)) throw new Error("ROUTES is not a JSON array");
  return [
    ...mirrored(written.map((rule, index) => [`ROUTES[${index}]`, rule]), localhost),
    ...mirrored(BUILT_IN.map((rule) => ["built-in", rule]), localhost),
  ];
}

function mirrored(rules: [string, RouteJson][], localhost: string | undefined): Rule[] {
  const parsed = rules.map(([origin, rule]) => parse(origin, rule));
  if (!localhost) return parsed;
  const mirrors = rules.flatMap(([origin, rule]): Rule[] => {
    const [host, ...path] = rule.pattern.split("/");
    if (!host.endsWith(".do")) return [];
    return [parse(origin, { ...rule, pattern: [`${host.slice(0, -3)}.localhost`, ...path].join("/") })];
  });
  return [...parsed, ...mirrors];
}

const CAPTURE = /\{([a-z][a-z0-9_]*)\}/g;

function parse(origin: string, rule: RouteJson): Rule {
  const { pattern, worker, environment = "production" } = rule;
  const name = `${origin} \`${pattern}\``;
  const [host, ...segments] = pattern.split("/");
  const open = segments.length === 0 || segments.at(-1) === "*";
  if (segments.at(-1) === "*") segments.pop();
  const captures = [...pattern.matchAll(CAPTURE)].map(([, capture]) => capture);
  for (const capture of captures) {
    if (!worker.includes(`{${capture}}`) && environment !== `{${capture}}`) throw new Error(`${name}: {${capture}} is unused`);
  }
  const fixed = environment === "{env}" ? undefined : ofName(environment);
  if (!fixed && environment !== "{env}") throw new Error(`${name}: \`${environment}\` is not an environment`);
  if (captures.length === 0 || !worker.includes("{")) {
    const reason = invalidWorker(worker);
    if (reason) throw new Error(`${name}: ${reason}`);
  }
  const path = segments.map((segment) => `/${source(segment)}`).join("");
  return {
    name,
    labels: host.split(".").length,
    expression: new RegExp(`^${source(host)}${path}${open ? "(?:[/?#]|$)" : "(?:[?#]|$)"}`),
    literals: pattern.replace(CAPTURE, "").replace(/[/.*]/g, "").length,
    workerCapture: captures.indexOf("worker") + 1,
    worker: template(worker, captures),
    environment: fixed,
    environmentCapture: captures.indexOf("env") + 1,
    strippedSegments: rule.strip_prefix ? segments.length : 0,
    options: options(rule),
  };
}

/** A capture matches as few characters as possible, of `[a-z0-9-]` only. */
function source(text: string): string {
  return text.replace(/[.+?^$()|[\]\\]/g, "\\$&").replace(CAPTURE, "([a-z0-9-]+?)");
}

function template(text: string, captures: string[]): (match: RegExpExecArray) => string {
  const [, only] = /^\{([a-z0-9_]+)\}$/.exec(text) ?? [];
  if (only) {
    const number = captures.indexOf(only) + 1;
    return (match) => match[number];
  }
  return (match) => text.replace(CAPTURE, (_, capture: string) => match[captures.indexOf(capture) + 1]);
}

function options({ limits, outbound }: RouteJson): Options | undefined {
  if (!limits && !outbound) return undefined;
  return {
    ...(limits && { limits: { cpuMs: limits.cpu_ms, subRequests: limits.subrequests } }),
    ...(outbound && { outbound }),
  };
}
