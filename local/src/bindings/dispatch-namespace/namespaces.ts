import type { ConfiguredNamespace } from "../../environment.ts";
import type { Platform } from "../../platform.ts";
import { Refusal } from "../../refusal.ts";
import type { EmptyAccount } from "../../store/account.ts";
import type { Binding } from "../binding.ts";

/** Refuses a binding to a namespace that does not exist. */
export async function checkDispatchNamespaces(platform: Platform, bindings: readonly Binding[]): Promise<void> {
  const bound = bindings.filter((binding) => binding.type === "dispatch_namespace");
  if (bound.length === 0) return;
  const account = await subscribedAccount(platform);
  for (const { namespace } of bound) existingNamespace(platform, account, namespace);
}

/** The account if it began empty; otherwise `null`. Refuses one without Workers for Platforms. */
export async function subscribedAccount({ store }: Platform): Promise<EmptyAccount | null> {
  const account = await store.emptyAccount();
  if (account?.unsubscribed.includes("workers_for_platforms") !== true) return account;
  throw new Refusal(
    "NAMESPACES_NOT_SUBSCRIBED",
    "You do not have access to dispatch namespaces. You can purchase them here: https://dash.cloudflare.com/?to=/:account/workers-for-platforms",
  );
}

/** A namespace of the configuration. Refuses one that does not exist in the account. */
export function existingNamespace({ environment }: Platform, account: EmptyAccount | null, name: string): ConfiguredNamespace {
  const found = environment.NAMESPACES.find((namespace) => namespace.name === name);
  if (found !== undefined && isCreated(account, name)) return found;
  throw new Refusal("NAMESPACE_NOT_FOUND", `The dispatch namespace ${JSON.stringify(name)} does not exist.`);
}

/** Whether a namespace of the configuration exists in the account. */
export function isCreated(account: EmptyAccount | null, name: string): boolean {
  return account === null || Object.hasOwn(account.namespaces, name);
}
