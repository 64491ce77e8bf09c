import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "../../environment.ts";
import { recordedInvocation } from "../../invocations.ts";
import { liveVersion } from "../../isolate/isolate-pool.ts";
import { scriptIsolate } from "../../isolate/isolates.ts";
import { fetchLiveVersion, useLiveVersion } from "../../live-worker.ts";
import { type Platform, platform } from "../../platform.ts";
import { accountAddress } from "../../script.ts";
import type { ServiceProps } from "./kind.ts";

/**
 * The host entrypoint of a service binding. A request goes to the live version of the account Worker, or to the router of its static
 * assets. Every other member is that of the target's own entrypoint, so methods, properties and pipelined calls need no support here.
 */
export class AccountService extends WorkerEntrypoint<Environment, ServiceProps> {
  constructor(context: ExecutionContext<ServiceProps>, environment: Environment) {
    super(context, environment);
    const here = platform(environment, context);
    const { props } = context;
    return new Proxy(this, {
      get(target, property) {
        if (typeof property === "string" && !(property in target)) return memberOf(here, props, property);
        const member: unknown = Reflect.get(target, property, target);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
  }

  override async fetch(request: Request): Promise<Response> {
    const here = platform(this.env, this.ctx);
    const { service, entrypoint, props } = this.ctx.props;
    const address = accountAddress(service);
    const live = await here.store.liveVersion(address);
    useLiveVersion(here, address, live);
    if (live === null) throw targetGone(this.ctx.props);
    if (entrypoint === null && props === null) return await fetchLiveVersion(here, address, live, request);
    const version = { ...address, version: live.id };
    return await recordedInvocation(here, { kind: "request", ...version }, () =>
      entrypointOf(here, this.ctx.props, live.id).fetch(request),
    );
  }
}

/** A member of the target's entrypoint: a stub of it, which the runtime calls or reads. */
function memberOf(here: Platform, props: ServiceProps, member: string): unknown {
  const address = accountAddress(props.service);
  const live = liveVersion(address);
  if (live === null) throw targetGone(props);
  if (live !== undefined) return (entrypointOf(here, props, live) as unknown as Record<string, unknown>)[member];
  // Not in use since the start of the platform: `recordServices` prevents that for every isolate with a service binding.
  throw new Error(`The service binding ${props.binding} is not ready. Try again.`);
}

function entrypointOf(here: Platform, { service, entrypoint, props }: ServiceProps, version: string): Fetcher {
  const isolate = scriptIsolate(here, { ...accountAddress(service), version });
  return isolate.getEntrypoint(entrypoint ?? undefined, props === null ? {} : { props });
}

function targetGone({ binding, service }: ServiceProps): Error {
  return new Error(`The target of the service binding ${binding}, the account Worker ${service}, was deleted. Deploy it again.`);
}
