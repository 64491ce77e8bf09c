import type { ConfiguredNamespace } from "../environment.ts";
import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import { type Call, namespaceOf } from "./call.ts";
import { success } from "./envelope.ts";

/** The creation time that the API returns. The namespaces always exist. */
const CREATED_ON = "2024-01-01T00:00:00.000000Z";

/** The namespaces of the account. */
export async function listNamespaces({ var: { platform } }: Call): Promise<Response> {
  const namespaces = await Promise.all(platform.environment.NAMESPACES.map((namespace) => shown(platform, namespace)));
  return success(namespaces, { info: { count: namespaces.length, per_page: namespaces.length } });
}

/** One namespace. */
export async function getNamespace(call: Call): Promise<Response> {
  const name = namespaceOf(call);
  const found = call.var.platform.environment.NAMESPACES.find((namespace) => namespace.name === name);
  return success(found ? await shown(call.var.platform, found) : null);
}

/** Refuses to change the namespaces, which are part of the configuration. */
export function refuseNamespaceChange({ env }: Call): never {
  const names = env.NAMESPACES.map(({ name }) => name).join(", ");
  throw new Refusal(
    "ACCESS_FORBIDDEN",
    `The namespaces of the local platform cannot be made, changed or deleted: there are ${names}. To empty them all, start with \`npm run dev -- --reset\`.`,
  );
}

async function shown({ store }: Platform, { name, id }: ConfiguredNamespace): Promise<Record<string, unknown>> {
  return {
    namespace_id: id,
    namespace_name: name,
    script_count: await store.scriptCount(name),
    trusted_workers: true,
    created_on: CREATED_ON,
    created_by: "",
    modified_on: CREATED_ON,
    modified_by: "",
  };
}
