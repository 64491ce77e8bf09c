import { NAMES } from "./isolate/names.ts";

const { start, end, endOfValue } = NAMES.consoleOrigin;

/** A line of the console without the mark of its Worker and request, which `isolate/console.isolate.js` adds. */
export function withoutOrigin(log: TraceLog): TraceLog {
  const { message, errorInfo } = log;
  const [first, ...rest] = Array.isArray(message) ? (message as readonly unknown[]) : [];
  if (typeof first !== "string" || !first.startsWith(start)) return log;
  if (first.endsWith(endOfValue)) {
    return { ...log, message: rest, ...(errorInfo === undefined ? {} : { errorInfo: errorInfo.slice(1) }) };
  }
  return { ...log, message: [first.slice(first.indexOf(end) + end.length), ...rest] };
}
