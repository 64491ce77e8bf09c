import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "../environment.ts";
import type { VersionProps } from "../isolate/version-props.ts";
import { platform } from "../platform.ts";
import { assetIsolate } from "./asset-isolate.ts";

/** What the router asks the asset Worker besides requests. */
interface AssetWorker {
  unstable_canFetch(request: Request): Promise<boolean>;
}

/** The static assets of one version: the `ASSETS` binding of its script, and what its router asks. */
export class Assets extends WorkerEntrypoint<Environment, VersionProps> {
  override async fetch(request: Request): Promise<Response> {
    return await this.#worker().fetch(request);
  }

  /** Whether there is an answer to the request among the assets. The name is that of Cloudflare's asset Worker. */
  async unstable_canFetch(request: Request): Promise<boolean> {
    return await (this.#worker() as unknown as AssetWorker).unstable_canFetch(request);
  }

  #worker(): Fetcher {
    return assetIsolate(platform(this.env, this.ctx), this.ctx.props).getEntrypoint();
  }
}
