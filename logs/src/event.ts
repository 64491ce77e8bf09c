import type { LogEvent, LogLevel } from "./types.ts";

/** The levels of lines, the least severe first. */
export const LEVELS = ["debug", "log", "info", "warn", "error"] as const satisfies readonly LogLevel[];

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
