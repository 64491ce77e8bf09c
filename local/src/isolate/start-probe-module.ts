/** The names of handlers that make an exported object an entrypoint. */
const HANDLERS = ["fetch", "scheduled", "queue", "email", "tail", "tailStream", "trace", "connect", "test"];

/** What a started script exports. */
export interface StartedScript {
  /** Whether anything could ever call it: a handler of the default export, or an exported class. */
  readonly callable: boolean;
  /** The handlers of the default export. */
  readonly handlers: readonly string[];
  /** The exported classes. */
  readonly classes: readonly string[];
}

/**
 * The module that starts a script and tells what it exports. It is the isolate's main module in place of the script's
 * own, so that a script can be tried without any of its handlers being called.
 */
export function startProbeModule(entrypoint: string, script: string): string {
  return `
import { WorkerEntrypoint } from "cloudflare:workers";
import * as script from ${JSON.stringify(`./${script}`)};
export class ${entrypoint} extends WorkerEntrypoint {
  started() {
    const classes = Object.keys(script).filter((name) => typeof script[name] === "function");
    const main = script.default;
    const owner = typeof main === "function" ? main.prototype : main;
    const handlers = typeof owner === "object" && owner !== null
      ? ${JSON.stringify(HANDLERS)}.filter((name) => typeof owner[name] === "function")
      : [];
    return { callable: handlers.length > 0 || classes.length > 0, handlers, classes };
  }
}
`;
}
