import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "../environment.ts";
import { letOthersRun } from "../event-loop.ts";
import type { StorageAddress } from "./storage.ts";

/**
 * Sends a request to the storage, in the protocol of the runtime's own bindings. The first request creates the storage.
 *
 * miniflare's objects take their name from `cf`, which they trust. The prefix separates the data of user Workers from that of the
 * platform, such as the hostnames of the dispatch Worker.
 */
export async function fetchStorage(
  environment: Environment,
  { kind, id }: StorageAddress,
  request: Request,
): Promise<Response> {
  await letOthersRun();
  const objects = { kv: environment.KV_OBJECTS, d1: environment.D1_OBJECTS, r2: environment.R2_OBJECTS }[kind];
  const name = `worker-${id}`;
  return await objects.get(objects.idFromName(name)).fetch(request, { cf: { miniflare: { name } } });
}

/** The host entrypoint of a KV namespace or a D1 database in the isolate of a user Worker. */
export class StorageObject extends WorkerEntrypoint<Environment, StorageAddress> {
  override async fetch(request: Request): Promise<Response> {
    return await fetchStorage(this.env, this.ctx.props, request);
  }
}
