import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "./environment.ts";
import { NotPermitted } from "./invocations.ts";
import { NAMES } from "./isolate/names.ts";
import { fetchLiveVersion, useLiveVersion } from "./live-worker.ts";
import { platform } from "./platform.ts";
import { accountAddress } from "./script.ts";

/** The end of the host names of account Workers: `NAME.workers.dev.localhost`. `local/front/destination.ts` sends them here. */
export const WORKERS_DEV = "workers.dev.localhost";

/** Serves account Workers at their addresses. The Worker sees the request unchanged. */
export class WorkersDev extends WorkerEntrypoint<Environment> {
  override async fetch(request: Request): Promise<Response> {
    const here = platform(this.env, this.ctx);
    const { hostname } = new URL(request.url);
    const script = workerName(hostname);
    if (script === null) {
      return problem(404, `${hostname} is not the address of a Worker. An account Worker has the address NAME.${WORKERS_DEV}.`);
    }
    const address = accountAddress(script);
    const served = await here.store.servedWorker(script);
    useLiveVersion(here, address, served?.live ?? null);
    if (served === null) {
      return problem(
        404,
        `There is no account Worker ${script}. Deploy it with \`wrangler deploy\` and the variables of account.env. Workers of dispatch ` +
          "namespaces have other host names: the start page lists all.",
      );
    }
    if (!served.workersDev) {
      return problem(
        404,
        `The account Worker ${script} exists, and its address at workers.dev is disabled. Set "workers_dev": true in its configuration ` +
          "and deploy it again.",
      );
    }
    // The Worker is the first invocation of the request: no dispatch Worker is in front of it.
    const counted = new Request(request);
    counted.headers.set(NAMES.depthHeader, "0");
    try {
      return await fetchLiveVersion(here, address, served.live, counted);
    } catch (cause) {
      if (cause instanceof NotPermitted) return problem(503, `${script} exceeded its CPU time limit. Deploy it again without the endless loop.`);
      return problem(500, `${script} threw an exception: ${String(cause)}`);
    }
  }
}

/** The name of the Worker with this host name; `null` if no Worker has it. */
function workerName(hostname: string): string | null {
  const name = hostname.replace(/\.$/, "").slice(0, -WORKERS_DEV.length - 1);
  return name === "" || name.includes(".") ? null : name;
}

function problem(status: number, text: string): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", "x-content-type-options": "nosniff" },
  });
}
