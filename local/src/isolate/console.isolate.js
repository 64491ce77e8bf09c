// Marks each line of the console with the Worker and the request that it comes from: all isolates write to one output, which `npm run dev`
// shows (`xtask/src/platform/console_origin.rs`). The platform removes the marks from traces: `console-origin.ts`.
import { AsyncLocalStorage } from "node:async_hooks";
import names from "./__local_platform__names.js";
import worker from "./__local_platform__worker.js";

const { start, end, endOfValue } = names.consoleOrigin;

/** The id of the current request. */
const requestId = new AsyncLocalStorage();

/** Calls `run`, which handles a request. What it writes to the console is marked with the request's id. */
export function inRequest(request, run) {
  const id = request instanceof Request ? request.headers.get("cf-ray") : null;
  return id === null ? run() : requestId.run(id, run);
}

for (const level of ["debug", "log", "info", "warn", "error"]) {
  const write = console[level];
  console[level] = function (...values) {
    const id = requestId.getStore();
    const origin = `${start}${worker}${id === undefined ? "" : ` ${id}`}`;
    const [first, ...rest] = values;
    // The first text can be a format for the others.
    if (typeof first === "string") write.call(console, `${origin}${end}${first}`, ...rest);
    else write.call(console, `${origin}${endOfValue}`, ...values);
  };
}
