import { Refusal } from "../refusal.ts";
import { parameter, type Call } from "./call.ts";
import { success } from "./envelope.ts";

const NAME = "Local platform";
const USER = { id: "00000000000000000000000000000001", email: "developer@localhost" };

/** The owner of the local token. */
export function getUser(): Response {
  return success(USER);
}

/** Whether the token is valid. A call that reaches this handler has a valid one. */
export function verifyToken(): Response {
  return success({ id: USER.id, status: "active" });
}

/** The one account. */
export function listAccounts({ env }: Call): Response {
  const accounts = [{ id: env.ACCOUNT_ID, name: NAME, type: "standard" }];
  return success(accounts, { info: { count: 1, per_page: 20 } });
}

/** The one account, by its id. */
export function getAccount({ env }: Call): Response {
  return success({ id: env.ACCOUNT_ID, name: NAME, type: "standard" });
}

/** The membership in the one account. */
export function listMemberships({ env }: Call): Response {
  const account = { id: env.ACCOUNT_ID, name: NAME, type: "standard" };
  const memberships = [{ id: USER.id, status: "accepted", account, roles: ["Administrator"] }];
  return success(memberships, { info: { count: 1, per_page: 20 } });
}

/** Products of Cloudflare that are not simulated, by the start of their paths below the account. */
export const PRODUCTS_NOT_SIMULATED = [
  "workflows",
  "vectorize",
  "hyperdrive",
  "pipelines",
  "containers",
];

/** A product of Cloudflare that is not simulated. */
export function refuseProduct(product: string): never {
  throw new Refusal(
    "NOT_SIMULATED",
    `The local platform does not simulate ${product}. Remove what uses it from the Worker's configuration for local use, or deploy to a remote namespace.`,
  );
}

/** Refuses every account but the one of the configuration. */
export async function checkAccount(call: Call, next: () => Promise<void>): Promise<void> {
  const account = parameter(call, "account");
  if (account === call.env.ACCOUNT_ID) return await next();
  throw new Refusal(
    "ACCESS_FORBIDDEN",
    `The account ${account} does not exist on the local platform. Set CLOUDFLARE_ACCOUNT_ID to ${call.env.ACCOUNT_ID}.`,
  );
}
