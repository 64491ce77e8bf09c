import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "./environment.ts";
import { scriptIsolate } from "./isolate/script-isolate.ts";
import type { VersionProps } from "./isolate/version-props.ts";
import { platform } from "./platform.ts";

/** The code of one version of a script, as the router of its static assets reaches it. */
export class UserCode extends WorkerEntrypoint<Environment, VersionProps> {
  override async fetch(request: Request): Promise<Response> {
    return await scriptIsolate(platform(this.env, this.ctx), this.ctx.props).getEntrypoint().fetch(request);
  }
}
