import { knowLiveVersion } from "../../isolate/isolate-pool.ts";
import type { Platform } from "../../platform.ts";
import { Refusal } from "../../refusal.ts";
import { type ScriptAddress, type ScriptVersion, accountAddress, isAccountWorker } from "../../script.ts";
import type { Binding } from "../binding.ts";
import type { BoundWorker } from "../kind.ts";
import type { DispatcherServiceProps } from "./dispatcher-service.ts";

type ServiceBinding = Extract<Binding, { type: "service" }>;

/** The name of the dispatch Worker as the target of a service binding. */
const DISPATCHER = "dispatcher";

/** The entrypoint of the dispatch Worker for service bindings inside a namespace: `src/dispatch/namespace_service.js`. */
export const NAMESPACE_SERVICE = "NamespaceService";

/**
 * The targets of service bindings that are not account Workers, by the name of the service: what makes the value of the binding. They
 * always exist, so a deploy does not look for them among the account Workers.
 */
export const SPECIAL_TARGETS: Readonly<Record<string, (binding: ServiceBinding, worker: BoundWorker) => Fetcher>> = {
  [DISPATCHER]: dispatcherService,
};

/** Refuses a version with a service binding to a Worker that does not exist. A Worker can bind to itself. */
export async function checkServices({ store }: Platform, address: ScriptAddress, version: ScriptVersion): Promise<void> {
  for (const binding of version.bindings) {
    if (binding.type !== "service" || binding.service !== DISPATCHER) continue;
    if (binding.entrypoint === undefined || binding.entrypoint === NAMESPACE_SERVICE) continue;
    throw new Refusal("SERVICE_NOT_FOUND", `Service binding '${binding.name}': the dispatch Worker has no entrypoint ${binding.entrypoint}.`);
  }
  for (const { name, service } of accountServices(version)) {
    const target = accountAddress(service);
    if (target.namespace === address.namespace && target.script === address.script) continue;
    if ((await store.liveVersion(target)) !== null) continue;
    const isInNamespace = !isAccountWorker(address) && (await store.liveVersion({ ...address, script: service })) !== null;
    throw new Refusal(
      "SERVICE_NOT_FOUND",
      // The first sentence is Cloudflare's.
      `Service binding '${name}' references Worker '${service}' which was not found. ` +
        (isInNamespace
          ? `Cloudflare's API reaches only Workers of the account, and ${service} is in the namespace ${address.namespace}. The deploy ` +
            "API makes such a binding work: start `npm run dev` without `--api rest`, and deploy again."
          : `A service binding reaches the Workers of the account only: deploy ${service} with \`wrangler deploy\` and without a ` +
            "dispatch namespace first, or correct the name."),
    );
  }
}

/** Records the live versions of the targets, which an RPC call through `AccountService` must know immediately. Deploys change them. */
export async function recordServices(platform: Platform, version: ScriptVersion): Promise<void> {
  await Promise.all(accountServices(version).map(({ service }) => knowLiveVersion(platform, accountAddress(service))));
}

/** The service bindings to account Workers. */
function accountServices({ bindings }: ScriptVersion): ServiceBinding[] {
  return bindings.filter((binding) => binding.type === "service").filter(({ service }) => !Object.hasOwn(SPECIAL_TARGETS, service));
}

/** The value of a service binding to the dispatch Worker. */
function dispatcherService({ entrypoint, props }: ServiceBinding, { platform }: BoundWorker): Fetcher {
  const target: DispatcherServiceProps = { props: entrypoint === undefined ? null : (props ?? {}) };
  return platform.entrypoint("DispatcherService", target);
}
