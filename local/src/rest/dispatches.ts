import type { Call } from "./call.ts";
import { success } from "./envelope.ts";

/**
 * What the dispatch Worker last passed to `get`, the newest first: `?namespace=&script=`. Cloudflare's API has no such
 * call; it shows the `limits` and `outbound` parameters, which nothing here enforces.
 */
export async function listDispatches({ req, var: { platform } }: Call): Promise<Response> {
  const namespace = req.query("namespace");
  const script = req.query("script");
  const dispatches = (await platform.store.dispatches()).filter(
    (dispatch) =>
      (namespace ?? dispatch.namespace) === dispatch.namespace && (script ?? dispatch.script) === dispatch.script,
  );
  return success(dispatches);
}

/** Forgets the dispatches. */
export async function clearDispatches({ var: { platform } }: Call): Promise<Response> {
  await platform.store.clearDispatches();
  return success(null);
}
