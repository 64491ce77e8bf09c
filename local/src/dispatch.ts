import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "./environment.ts";
import { scriptIsolate } from "./isolate/isolates.ts";
import { fetchLiveVersion, useLiveVersion } from "./live-worker.ts";
import { platform } from "./platform.ts";
import type { ScriptAddress, VersionAddress } from "./script.ts";

/** The third argument of `get`. */
interface DispatchOptions {
  readonly limits?: unknown;
  readonly outbound?: unknown;
}

/** A script and the arguments with which the dispatch Worker called `get`. */
interface ScriptProps extends ScriptAddress {
  readonly args: unknown;
  readonly limits: unknown;
  readonly outbound: unknown;
}

/**
 * A dispatch namespace: replaces Cloudflare's binding. As on Cloudflare, `get` never fails; only a request to its result finds out
 * whether the script exists. It is called over RPC, so its result must be awaited, which is not necessary in production.
 */
export class Namespace extends WorkerEntrypoint<Environment, { namespace: string }> {
  get(name: string, args?: unknown, options?: DispatchOptions): Fetcher {
    const props: ScriptProps = {
      namespace: this.ctx.props.namespace,
      script: String(name),
      args: args ?? null,
      limits: options?.limits ?? null,
      outbound: options?.outbound ?? null,
    };
    return platform(this.env, this.ctx).entrypoint("Script", props);
  }
}

/**
 * The result of `get`. Each request reads from the store which version is live, so the next request after an acknowledged deploy or
 * delete gets its result. The isolate of the version stays for the next request: `isolate/isolate-pool.ts`.
 */
export class Script extends WorkerEntrypoint<Environment, ScriptProps> {
  override async fetch(request: Request): Promise<Response> {
    const here = platform(this.env, this.ctx);
    const { namespace, script, args, limits, outbound } = this.ctx.props;
    const live = await here.store.dispatch({ namespace, script, args, limits, outbound });
    useLiveVersion(here, this.ctx.props, live);
    // Cloudflare's text, by which the dispatch Worker recognizes this failure.
    if (live === null) throw new Error("Worker not found.");
    return await fetchLiveVersion(here, this.ctx.props, live, request);
  }
}

/** The code of one version. The router of its static assets calls it. */
export class UserCode extends WorkerEntrypoint<Environment, VersionAddress> {
  override async fetch(request: Request): Promise<Response> {
    return await scriptIsolate(platform(this.env, this.ctx), this.ctx.props).getEntrypoint().fetch(request);
  }
}
