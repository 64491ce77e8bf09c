import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "./environment.ts";
import { recordedInvocation } from "./invocations.ts";
import { knowLiveVersion, liveVersion } from "./isolate/isolate-pool.ts";
import { scriptIsolate } from "./isolate/isolates.ts";
import { fetchLiveVersion, useLiveVersion } from "./live-worker.ts";
import { type Platform, platform } from "./platform.ts";
import { stubMember } from "./rpc-member.ts";
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
  async get(name: string, args?: unknown, options?: DispatchOptions): Promise<Fetcher> {
    const props: ScriptProps = {
      namespace: this.ctx.props.namespace,
      script: String(name),
      args: args ?? null,
      limits: options?.limits ?? null,
      outbound: options?.outbound ?? null,
    };
    const here = platform(this.env, this.ctx);
    await knowLiveVersion(here, props);
    return here.entrypoint("Script", props);
  }
}

/**
 * The result of `get`. Each request reads from the store which version is live, so the next request after an acknowledged deploy or
 * delete gets its result. The isolate of the version stays for the next request: `isolate/isolate-pool.ts`.
 */
export class Script extends WorkerEntrypoint<Environment, ScriptProps> {
  constructor(context: ExecutionContext<ScriptProps>, environment: Environment) {
    super(context, environment);
    const here = platform(environment, context);
    return new Proxy(this, {
      get(target, name) {
        if (name === "fetch") return (request: Request) => target.fetch(request);
        if (typeof name === "symbol" || name in target || name === "then") return Reflect.get(target, name, target) as unknown;
        return memberOf(here, context.props, name);
      },
    });
  }

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

/** A member of the script's default entrypoint: a stub of it, which the runtime calls or reads. */
function memberOf(here: Platform, { namespace, script }: ScriptAddress, name: string): unknown {
  const version = liveVersion({ namespace, script });
  if (version === null || version === undefined) throw new Error("Worker not found.");
  const address = { namespace, script, version };
  const entrypoint = scriptIsolate(here, address).getEntrypoint() as unknown as Record<string, unknown>;
  return stubMember(entrypoint[name], (use) => recordedInvocation(here, { kind: "request", ...address }, use));
}

/** The code of one version. The router of its static assets calls it. */
export class UserCode extends WorkerEntrypoint<Environment, VersionAddress> {
  override async fetch(request: Request): Promise<Response> {
    return await scriptIsolate(platform(this.env, this.ctx), this.ctx.props).getEntrypoint().fetch(request);
  }
}
