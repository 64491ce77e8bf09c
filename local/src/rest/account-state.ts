import { hex, utf8 } from "../encoding.ts";
import { Refusal } from "../refusal.ts";
import { ACCOUNT_NAMESPACE } from "../script.ts";
import { type EmptyAccount, type Fault, PRODUCTS, type Product } from "../store/account.ts";
import { digestOf } from "../store/client.ts";
import { type Call, jsonObjectBody } from "./call.ts";
import { success } from "./envelope.ts";
import { removeScript } from "./scripts.ts";

/**
 * Empties the account: `{unsubscribed}` lists products without a subscription. It has no account Workers, dispatch namespaces, buckets
 * and subdomain until they are created. Cloudflare's API has no such call.
 */
export async function emptyAccount(call: Call): Promise<Response> {
  const { unsubscribed = [] } = await jsonObjectBody(call);
  if (!Array.isArray(unsubscribed) || !unsubscribed.every(isProduct)) {
    throw new Refusal("BODY_INVALID", `\`unsubscribed\` must be a list of ${PRODUCTS.join(", ")}.`);
  }
  const { platform } = call.var;
  const namespaces = [ACCOUNT_NAMESPACE, ...call.env.NAMESPACES.map(({ name }) => name)];
  for (const namespace of namespaces) {
    for (const script of await platform.store.scripts(namespace, "")) await removeScript(platform, script);
  }
  for (const resource of await platform.store.resources("r2")) await platform.store.removeResource(resource);
  const account: EmptyAccount = { unsubscribed, namespaces: {}, subdomain: null };
  await platform.store.setEmptyAccount(account);
  return success(account);
}

/** Ends the emptiness: the account has the namespaces of the configuration again. */
export async function fillAccount({ var: { platform } }: Call): Promise<Response> {
  await platform.store.setEmptyAccount(null);
  return success(null);
}

/**
 * Creates a token with these permissions: `{permissions: ["Workers Scripts Write"], fault}`. The call of `fault`, `{method, path,
 * status}`, fails once. Cloudflare's API has no such call.
 */
export async function createLimitedToken(call: Call): Promise<Response> {
  const { permissions, fault = null } = await jsonObjectBody(call);
  if (!Array.isArray(permissions) || !permissions.every((permission) => typeof permission === "string")) {
    throw new Refusal("BODY_INVALID", "`permissions` must be a list of names such as \"Workers Scripts Write\".");
  }
  if (fault !== null && !isFault(fault)) throw new Refusal("BODY_INVALID", "`fault` must have `method`, `path` and `status`.");
  const token = `local_${hex(crypto.getRandomValues(new Uint8Array(20)))}`;
  await call.var.platform.store.setLimitedToken(await digestOf(utf8(token)), { permissions, fault });
  return success({ token });
}

function isProduct(value: unknown): value is Product {
  return PRODUCTS.some((product) => product === value);
}

function isFault(value: unknown): value is Fault {
  if (typeof value !== "object" || value === null) return false;
  const { method, path, status } = value as Partial<Record<keyof Fault, unknown>>;
  return typeof method === "string" && typeof path === "string" && typeof status === "number" && status >= 400 && status < 600;
}
