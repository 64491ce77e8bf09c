import type { Environment } from "../environment.ts";
import { WorkerEntrypoint } from "cloudflare:workers";

/** The far end of a user Worker's `fetch` of another Worker's host: the dispatcher of this machine. */
export class DispatchedFetch extends WorkerEntrypoint<Environment> {
  override async fetch(request: Request): Promise<Response> {
    return await this.env.DISPATCHER.fetch(request);
  }
}
