import { recordLiveVersion } from "../../isolate/isolate-pool.ts";
import type { Platform } from "../../platform.ts";
import { Refusal } from "../../refusal.ts";
import { type ScriptAddress, type ScriptVersion, accountAddress } from "../../script.ts";
import type { Binding } from "../binding.ts";
import type { BoundWorker } from "../kind.ts";

type ServiceBinding = Extract<Binding, { type: "service" }>;

/**
 * The targets of service bindings that are not account Workers, by the name of the service: what makes the value of the binding. They
 * always exist, so a deploy does not look for them among the account Workers.
 */
export const SPECIAL_TARGETS: Readonly<Record<string, (binding: ServiceBinding, worker: BoundWorker) => Fetcher>> = {};

/** Refuses a version with a service binding to a Worker that does not exist. A Worker can bind to itself. */
export async function checkServices({ store }: Platform, address: ScriptAddress, version: ScriptVersion): Promise<void> {
  for (const { name, service } of accountServices(version)) {
    const target = accountAddress(service);
    if (target.namespace === address.namespace && target.script === address.script) continue;
    if ((await store.liveVersion(target)) !== null) continue;
    throw new Refusal(
      "SERVICE_NOT_FOUND",
      // The first sentence is Cloudflare's.
      `Service binding '${name}' references Worker '${service}' which was not found. A service binding reaches the Workers of the ` +
        `account only: deploy ${service} with \`wrangler deploy\` and without a dispatch namespace first, or correct the name.`,
    );
  }
}

/** Records the live versions of the targets, which an RPC call through `AccountService` must know immediately. Deploys change them. */
export async function recordServices({ store }: Platform, version: ScriptVersion): Promise<void> {
  await Promise.all(
    accountServices(version).map(async ({ service }) => {
      const target = accountAddress(service);
      recordLiveVersion(target, (await store.liveVersion(target))?.id ?? null);
    }),
  );
}

/** The service bindings to account Workers. */
function accountServices({ bindings }: ScriptVersion): ServiceBinding[] {
  return bindings.filter((binding) => binding.type === "service").filter(({ service }) => !Object.hasOwn(SPECIAL_TARGETS, service));
}
