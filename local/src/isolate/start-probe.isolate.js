// The main module of an isolate that starts a script and reports what it exports. None of the script's handlers is called.
import { WorkerEntrypoint } from "cloudflare:workers";
import * as script from "./__local_platform__main.js";

/** The names of handlers that make an exported object an entrypoint. */
const HANDLERS = ["fetch", "scheduled", "queue", "email", "tail", "tailStream", "trace", "connect", "test"];

export class StartProbe extends WorkerEntrypoint {
  started() {
    const classes = Object.keys(script).filter((name) => typeof script[name] === "function");
    const main = script.default;
    const owner = typeof main === "function" ? main.prototype : main;
    const handlers =
      typeof owner === "object" && owner !== null ? HANDLERS.filter((name) => typeof owner[name] === "function") : [];
    return { callable: handlers.length > 0 || classes.length > 0, handlers, classes };
  }
}
