import { WorkerEntrypoint } from "cloudflare:workers";
import { assetRouter } from "./assets/asset-router.ts";
import type { Environment } from "./environment.ts";
import { scriptIsolate } from "./isolate/script-isolate.ts";
import { platform } from "./platform.ts";
import type { ScriptAddress } from "./script.ts";

/** A script and what the dispatch Worker passed to `get`. */
export interface ScriptProps extends ScriptAddress {
  readonly args: unknown;
  readonly limits: unknown;
  readonly outbound: unknown;
}

/**
 * What `get` of a namespace answers. Every request asks the store which version is live, so that a deploy or a delete
 * that was answered is seen by the next request; the version's isolate is kept by the Worker Loader.
 */
export class Script extends WorkerEntrypoint<Environment, ScriptProps> {
  override async fetch(request: Request): Promise<Response> {
    const here = platform(this.env, this.ctx);
    const { namespace, script, args, limits, outbound } = this.ctx.props;
    const live = await here.store.dispatch({ namespace, script, args, limits, outbound });
    // The platform's own words, by which the dispatch Worker knows this failure from every other.
    if (live === null) throw new Error("Worker not found.");
    const props = { namespace, script, version: live.id };
    const isolate = live.hasAssets ? assetRouter(here, props) : scriptIsolate(here, props);
    return await isolate.getEntrypoint().fetch(request);
  }
}
