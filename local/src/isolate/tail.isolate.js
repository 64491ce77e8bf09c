// The entrypoint by which the platform calls the `tail` handler of a script: `tails.ts`. Entrypoints of isolates have no method for it.
import { WorkerEntrypoint } from "cloudflare:workers";
import * as main from "./__local_platform__main.js";
import { counted } from "./__local_platform__invocations.js";
import { replaceExports } from "./__local_platform__objects.js";

export class TailReceiver extends WorkerEntrypoint {
  async receive(events) {
    for (const { event } of events) if (event?.request) event.request.getUnredacted = () => event.request;
    const exported = counted(main.default, replaceExports);
    const handlers = typeof exported === "function" ? new exported(this.ctx, this.env) : exported;
    if (typeof handlers.tail !== "function") throw new TypeError("Handler does not export a tail() function.");
    await handlers.tail(events, this.env, this.ctx);
  }
}
