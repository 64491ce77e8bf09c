import { LEVELS, levelOf } from "./event.ts";
import type { LogEvent } from "./types.ts";

/** Which events of a log are wanted. */
export interface Filter {
  /** Only events of this Worker: for the log that the Workers of a namespace share. */
  readonly worker?: string;
  /** Only events that began at this time or later, in milliseconds. */
  readonly since?: number;
  /** Only events that began before this time, in milliseconds. */
  readonly until?: number;
  /** Only events of this severity or a higher one: an index of `LEVELS`. */
  readonly level?: number;
  /** Only events that have this text in a line, an exception or the path, in any case. */
  readonly search?: string;
  /** Only the events of this request. */
  readonly request?: string;
}

/** An event with its position in its log. Positions increase. */
export interface Positioned {
  readonly position: number;
  readonly event: LogEvent;
}

/** Positions in the log of a Worker and in the log that its namespace shares. */
export interface Positions {
  readonly own: number;
  readonly shared: number;
}

/** The most events of a page. */
export const MAX_LIMIT = 1000;

/** The parameters of a request of the deploy API, which has validated them. */
export interface Query {
  readonly filter: Filter;
  readonly limit: number;
  /** The first position that is not wanted any more when paging back, or the last one that the client has when it follows. */
  readonly cursor: Positions | null;
}

/** Whether an event matches. */
export function matches(filter: Filter, event: LogEvent): boolean {
  const { worker, since, until, level, search, request } = filter;
  if (worker !== undefined && event.worker !== worker) return false;
  if (request !== undefined && event.request_id !== request) return false;
  const time = Date.parse(event.time);
  if ((since !== undefined && time < since) || (until !== undefined && time >= until)) return false;
  if (level !== undefined && levelOf(event) < level) return false;
  return search === undefined || hasText(event, search.toLowerCase());
}

function hasText({ lines, exceptions, path }: LogEvent, wanted: string): boolean {
  const has = (text: string | null) => text?.toLowerCase().includes(wanted) === true;
  return (
    has(path) ||
    lines.some(({ text }) => has(text)) ||
    exceptions.some(({ name, message, stack }) => has(name) || has(message) || has(stack))
  );
}

/** Reads the query of a request of the deploy API. */
export function readQuery(parameters: URLSearchParams): Query {
  const number = (name: string) => (parameters.has(name) ? Number(parameters.get(name)) : undefined);
  const text = (name: string) => parameters.get(name) ?? undefined;
  const level = LEVELS.findIndex((level) => level === parameters.get("level"));
  const filter = { since: number("since"), until: number("until"), level: level < 0 ? undefined : level, search: text("search"), request: text("request") };
  return {
    filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
    limit: Math.min(number("limit") ?? MAX_LIMIT, MAX_LIMIT),
    cursor: readPositions(parameters.get("cursor")),
  };
}

/** Positions as text: `OWN-SHARED`. */
export function writePositions({ own, shared }: Positions): string {
  return `${own}-${shared}`;
}

function readPositions(text: string | null): Positions | null {
  const found = /^(\d{1,16})-(\d{1,16})$/.exec(text ?? "");
  return found === null ? null : { own: Number(found[1]), shared: Number(found[2]) };
}
