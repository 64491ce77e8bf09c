import { LEVELS, MAX_CONTENT, MAX_LINES, MAX_TEXT, truncated } from "./event.ts";
import type { LogEvent, LogException, LogLevel, LogLine, LogTrigger, NamespaceName } from "./types.ts";

/** The prefix of the tag with which the deploy API marks each upload: `deploy-api/src/deployments/id.rs`. */
const DEPLOYMENT_TAG = /^dotdo-deployment-(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** The form of a `cf-ray`. Elsewhere than on Cloudflare, a client can send any text. */
const RAY = /^[0-9A-Za-z-]{1,64}$/;

/** A failure that the dispatch Worker reports: `src/dispatch/failure_log.js`. */
export interface DispatchFailure {
  readonly code: string;
  readonly status: number;
  /** The dispatch namespace. */
  readonly namespace: NamespaceName;
  readonly worker: string;
  readonly request_id: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** The error's message. */
  readonly cause: string;
}

/** The Worker that a trace is of. */
export interface Source {
  /** The dispatch namespace. */
  readonly namespace: NamespaceName;
  readonly worker: string;
}

/**
 * The event of a trace, as the runtime passes it to a `tail` handler, or as the local platform sends it. Query strings and headers are not
 * part of an event, except for the request id.
 */
export function eventOf(trace: TraceItem, { namespace, worker }: Source): LogEvent {
  const began = trace.eventTimestamp ?? trace.logs[0]?.timestamp ?? trace.exceptions[0]?.timestamp ?? Date.now();
  return {
    time: timeOf(began),
    namespace,
    worker,
    source: "worker",
    trigger: triggerOf(trace.event),
    deployment: deploymentOf(trace.scriptTags),
    version: trace.scriptVersion?.id ?? null,
    outcome: truncated(String(trace.outcome), MAX_TEXT.name),
    code: null,
    ...requestOf(trace.event),
    wall_ms: duration(trace.wallTime),
    cpu_ms: duration(trace.cpuTime),
    ...contentOf(trace),
  };
}

/** The event of a failure of the dispatch Worker. */
export function eventOfFailure(failure: DispatchFailure, now: number): LogEvent {
  const time = timeOf(now);
  return {
    time,
    namespace: failure.namespace,
    worker: failure.worker,
    source: "dispatcher",
    trigger: "request",
    deployment: null,
    version: null,
    outcome: failure.code === "WORKER_LIMIT_EXCEEDED" ? "exceededLimit" : "exception",
    code: failure.code,
    request_id: failure.request_id,
    method: truncated(failure.method, MAX_TEXT.name),
    host: truncated(failure.host, MAX_TEXT.path),
    path: truncated(failure.path, MAX_TEXT.path),
    status: failure.status,
    wall_ms: null,
    cpu_ms: null,
    lines: [],
    exceptions: [{ time, name: failure.code, message: truncated(failure.cause, MAX_TEXT.message), stack: null }],
    omitted: 0,
  };
}

/** The lines and exceptions that fit. Exceptions precede lines, because they say more. */
function contentOf({ logs, exceptions }: TraceItem): Pick<LogEvent, "lines" | "exceptions" | "omitted"> {
  let room = MAX_CONTENT;
  let count = 0;
  const fits = (...texts: readonly string[]) => {
    const length = texts.reduce((sum, text) => sum + text.length, 0);
    if (length > room || count === MAX_LINES) return false;
    room -= length;
    count += 1;
    return true;
  };
  const keptExceptions = exceptions.map(exceptionOf).filter(({ name, message, stack }) => fits(name, message, stack ?? ""));
  const keptLines: LogLine[] = [];
  for (const log of logs) {
    // The last lines of a long loop are left out without making texts of them.
    if (count === MAX_LINES) break;
    const line = lineOf(log);
    if (fits(line.text)) keptLines.push(line);
  }
  return {
    lines: keptLines,
    exceptions: keptExceptions,
    omitted: logs.length + exceptions.length - keptLines.length - keptExceptions.length,
  };
}

function lineOf({ timestamp, level, message }: TraceLog): LogLine {
  const values: readonly unknown[] = Array.isArray(message) ? message : [message];
  return {
    time: timeOf(timestamp),
    level: (LEVELS as readonly string[]).includes(level) ? (level as LogLevel) : "log",
    text: truncated(values.map(textOf).join(" "), MAX_TEXT.line),
  };
}

function exceptionOf({ timestamp, name, message, stack }: TraceException): LogException {
  return {
    time: timeOf(timestamp),
    name: truncated(String(name), MAX_TEXT.name),
    message: truncated(String(message), MAX_TEXT.message),
    stack: typeof stack === "string" ? truncated(stack, MAX_TEXT.stack) : null,
  };
}

/** A value of `console.log` as text. The runtime has serialized objects already. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}

type Event = TraceItem["event"];

function requestOf(event: Event): Pick<LogEvent, "request_id" | "method" | "host" | "path" | "status"> {
  if (event === null || !("request" in event)) return { request_id: null, method: null, host: null, path: null, status: null };
  const { method, url, headers } = event.request;
  const { host, pathname } = URL.canParse(url) ? new URL(url) : { host: "", pathname: url.split("?", 1)[0] ?? "" };
  const ray = headers["cf-ray"];
  return {
    request_id: ray !== undefined && RAY.test(ray) ? ray : null,
    method: truncated(method, MAX_TEXT.name),
    host: truncated(host, MAX_TEXT.path),
    path: truncated(pathname, MAX_TEXT.path),
    status: event.response?.status ?? null,
  };
}

/** The members of an event that tell its kind, the first that it has. */
const TRIGGERS: readonly (readonly [string, LogTrigger])[] = [
  ["request", "request"],
  ["rpcMethod", "call"],
  ["cron", "scheduled"],
  ["queue", "queue"],
  ["mailFrom", "email"],
  ["consumedEvents", "tail"],
  ["getWebSocketEvent", "web_socket"],
  ["scheduledTime", "alarm"],
];

function triggerOf(event: Event): LogTrigger {
  if (event === null) return "other";
  return TRIGGERS.find(([member]) => member in event)?.[1] ?? "other";
}

function deploymentOf(tags: readonly string[] | undefined): string | null {
  for (const tag of tags ?? []) {
    const digits = DEPLOYMENT_TAG.exec(tag);
    if (digits !== null) return digits.slice(1).join("-");
  }
  return null;
}

function duration(milliseconds: number | null | undefined): number | null {
  return typeof milliseconds === "number" && Number.isFinite(milliseconds) ? Math.round(milliseconds) : null;
}

function timeOf(timestamp: number): string {
  const time = new Date(timestamp);
  return Number.isNaN(time.getTime()) ? new Date(0).toISOString() : time.toISOString();
}
