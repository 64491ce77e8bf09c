import { endUnusedIsolates, listIsolates as list } from "../isolate/isolate-pool.ts";
import type { Call } from "./call.ts";
import { success } from "./envelope.ts";

/** The isolates of user Workers that run: `?namespace=&script=`. Cloudflare's API has no such call. Ends the unused ones first. */
export async function listIsolates({ req, var: { platform } }: Call): Promise<Response> {
  await endUnusedIsolates(platform, 0);
  const namespace = req.query("namespace");
  const script = req.query("script");
  return success(
    list().filter(
      (isolate) =>
        (namespace ?? isolate.namespace) === isolate.namespace && (script ?? isolate.script) === isolate.script,
    ),
  );
}
