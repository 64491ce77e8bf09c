// The entrypoint by which the platform ends an isolate that no new request gets: `isolate-pool.ts`.
import { WorkerEntrypoint, abortIsolate } from "cloudflare:workers";
import { isBusy } from "./__local_platform__invocations.js";

export class IsolateEnd extends WorkerEntrypoint {
  /** Whether the isolate ends. It does not while a handler or `waitUntil` runs. Requests that still send a response continue. */
  end() {
    if (isBusy()) return false;
    // The runtime forgets the isolate, and frees it with its last request. The call throws, which nothing reports in `waitUntil`.
    this.ctx.waitUntil(scheduler.wait(0).then(() => abortIsolate("The isolate is not used.")));
    return true;
  }
}
