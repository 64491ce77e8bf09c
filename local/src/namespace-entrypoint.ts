import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "./environment.ts";
import { platform } from "./platform.ts";

/** The third argument of `get`. */
interface DispatchOptions {
  readonly limits?: unknown;
  readonly outbound?: unknown;
}

/**
 * A dispatch namespace, in place of the platform's binding. As there, `get` never fails: whether the script exists is
 * found out when something is asked of it. It is called over RPC, so what it answers must be awaited once more than
 * in production before it is a Fetcher.
 */
export class Namespace extends WorkerEntrypoint<Environment, { namespace: string }> {
  get(name: string, args?: unknown, options?: DispatchOptions): Fetcher {
    return platform(this.env, this.ctx).entrypoints.Script({
      props: {
        namespace: this.ctx.props.namespace,
        script: String(name),
        args: args ?? null,
        limits: options?.limits ?? null,
        outbound: options?.outbound ?? null,
      },
    });
  }
}
