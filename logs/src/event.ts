/**
 * One event of a log, as `GET …/logs` of the deploy API returns it. `deploy-api/src/logs/event.rs` has the same type for the OpenAPI
 * document.
 */
export interface LogEvent {
  /** When it began: RFC 3339 with milliseconds, UTC. */
  readonly time: string;
  /** The dispatch namespace. */
  readonly namespace: string;
  readonly worker: string;
  /** Who reports it: the runtime that ran the Worker, or the dispatch Worker that could not answer with a response of the Worker. */
  readonly source: "worker" | "dispatcher";
  /** What started the Worker. */
  readonly trigger: Trigger;
  /** The id of the deployment; `null` if it is not known. */
  readonly deployment: string | null;
  /** Cloudflare's id of the version; `null` if it is not known. */
  readonly version: string | null;
  /** `ok`, or the runtime's reason, such as `exception` or `exceededCpu`. */
  readonly outcome: string;
  /** The error code of the dispatch Worker; `null` in events of the runtime. */
  readonly code: string | null;
  /** The request id: the header `cf-ray`. */
  readonly request_id: string | null;
  readonly method: string | null;
  readonly host: string | null;
  /** The path without the query. */
  readonly path: string | null;
  /** The status of the response. */
  readonly status: number | null;
  /** Milliseconds from the start to the end of all work. */
  readonly wall_ms: number | null;
  /** Milliseconds of CPU time; `null` on the local platform, which does not measure it. */
  readonly cpu_ms: number | null;
  /** What the Worker wrote to the console. */
  readonly lines: readonly LogLine[];
  /** The exceptions that nothing caught. */
  readonly exceptions: readonly LogException[];
  /** How many lines and exceptions are left out because the event is too long. */
  readonly omitted: number;
}

/** A line of the console. */
export interface LogLine {
  readonly time: string;
  readonly level: Level;
  /** Truncated texts end in {@link TRUNCATED}. */
  readonly text: string;
}

/** An exception. */
export interface LogException {
  readonly time: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string | null;
}

/** What can start a Worker. */
export type Trigger = "request" | "call" | "scheduled" | "alarm" | "queue" | "email" | "tail" | "web_socket" | "other";

/** The levels of lines, the least severe first. */
export const LEVELS = ["debug", "log", "info", "warn", "error"] as const;

/** The level of a line. */
export type Level = (typeof LEVELS)[number];

/** The end of a text that was truncated. */
export const TRUNCATED = "… [truncated]";

/** The longest texts, in UTF-16 code units. */
export const MAX_TEXT = { name: 128, path: 1024, line: 2048, message: 2048, stack: 4096 } as const;

/** The most code units of all lines and exceptions of an event. What does not fit is left out and counted. */
export const MAX_CONTENT = 16_384;

/** The most lines and exceptions of an event. */
export const MAX_LINES = 256;

/** A text, truncated and marked if it is longer than the limit. */
export function truncated(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = limit - TRUNCATED.length;
  // Half of a surrogate pair is not a character.
  const isInPair = /[\uD800-\uDBFF]/.test(text.charAt(end - 1));
  return text.slice(0, isInPair ? end - 1 : end) + TRUNCATED;
}

/** How severe an event is: the level of its worst line, and `error` if it failed. */
export function levelOf({ outcome, exceptions, lines }: LogEvent): number {
  if (exceptions.length > 0 || outcome !== "ok") return LEVELS.length - 1;
  return lines.reduce((worst, { level }) => Math.max(worst, LEVELS.indexOf(level)), LEVELS.indexOf("log"));
}
