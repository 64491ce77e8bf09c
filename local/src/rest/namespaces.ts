import type { ConfiguredNamespace } from "../environment.ts";
import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import { existingNamespace, isCreated, subscribedAccount } from "../bindings/dispatch-namespace/namespaces.ts";
import type { EmptyAccount } from "../store/account.ts";
import { type Call, jsonObjectBody, namespaceOf } from "./call.ts";
import { success } from "./envelope.ts";

/** The creation time of the namespaces that exist from the beginning. */
const CREATED_ON = "2024-01-01T00:00:00.000000Z";

/** The namespaces of the account. */
export async function listNamespaces({ var: { platform } }: Call): Promise<Response> {
  const account = await subscribedAccount(platform);
  const existing = platform.environment.NAMESPACES.filter(({ name }) => isCreated(account, name));
  const namespaces = await Promise.all(existing.map((namespace) => shown(platform, account, namespace)));
  return success(namespaces, { info: { count: namespaces.length, per_page: namespaces.length } });
}

/** One namespace. */
export async function getNamespace(call: Call): Promise<Response> {
  const { platform } = call.var;
  const account = await subscribedAccount(platform);
  return success(await shown(platform, account, existingNamespace(platform, account, namespaceOf(call))));
}

/**
 * Creates a namespace: `{name}`. Only an account that began empty can have new ones, with the names and the ids of the configuration.
 */
export async function createNamespace(call: Call): Promise<Response> {
  const { platform } = call.var;
  const account = await subscribedAccount(platform);
  if (account === null) refuseNamespaceChange(call);
  const { name } = await jsonObjectBody(call);
  const found = platform.environment.NAMESPACES.find((namespace) => namespace.name === name);
  if (found === undefined) refuseNamespaceChange(call);
  if (isCreated(account, found.name)) {
    throw new Refusal("NAMESPACE_EXISTS", `A dispatch namespace ${found.name} exists already.`);
  }
  const created = { ...account, namespaces: { ...account.namespaces, [found.name]: new Date().toISOString() } };
  await platform.store.setEmptyAccount(created);
  return success(await shown(platform, created, found));
}

/** Refuses to change the namespaces, which are part of the configuration. */
export function refuseNamespaceChange({ env }: Call): never {
  const names = env.NAMESPACES.map(({ name }) => name).join(", ");
  throw new Refusal(
    "ACCESS_FORBIDDEN",
    `The namespaces of the local platform cannot be made, changed or deleted: there are ${names}. To empty them all, start with \`npm run dev -- --reset\`.`,
  );
}

async function shown({ store }: Platform, account: EmptyAccount | null, { name, id }: ConfiguredNamespace): Promise<Record<string, unknown>> {
  const createdOn = account?.namespaces[name] ?? CREATED_ON;
  return {
    namespace_id: id,
    namespace_name: name,
    script_count: await store.scriptCount(name),
    trusted_workers: true,
    created_on: createdOn,
    created_by: "",
    modified_on: createdOn,
    modified_by: "",
  };
}
