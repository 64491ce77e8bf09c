import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "../../environment.ts";
import { NAMES } from "../../isolate/names.ts";
import { stubMember } from "../../rpc-member.ts";

/** The target of a service binding to the dispatch Worker. */
export interface DispatcherServiceProps {
  /** The props of `NamespaceService`, which the deploy API sets; `null` if the binding has no entrypoint. */
  readonly props: Readonly<Record<string, unknown>> | null;
}

/**
 * The host entrypoint of a service binding to the dispatch Worker. It passes everything on. On this machine a service binding between
 * Workers of the configuration has constant props, so a method of the dispatch Worker makes the stub with the props of the binding.
 */
export class DispatcherService extends WorkerEntrypoint<Environment, DispatcherServiceProps> {
  constructor(context: ExecutionContext<DispatcherServiceProps>, environment: Environment) {
    super(context, environment);
    const { props } = context.props;
    const service = props === null ? environment.DISPATCHER : environment.DISPATCHER_SERVICES.namespaceService(props);
    return new Proxy(this, {
      get(target, name) {
        if (name === "fetch") return async (request: Request) => await (await service).fetch(counted(request));
        if (typeof name === "symbol" || name in target || name === "then") return Reflect.get(target, name, target) as unknown;
        return stubMember((service as unknown as Record<string, unknown>)[name], (use) => use());
      },
    });
  }
}

/** The request with the invocation of the dispatch Worker, which is one more than that of the target. */
function counted(request: Request): Request {
  const depth = Number(request.headers.get(NAMES.depthHeader) ?? 0);
  if (depth + 2 > NAMES.maxInvocations) throw new Error(NAMES.depthExceeded);
  const counted = new Request(request);
  counted.headers.set(NAMES.depthHeader, String(depth + 1));
  return counted;
}
