import { bearer, isPlatformToken } from "./access.ts";
import type { Environment } from "../environment.ts";
import { digestOf, store } from "../store/client.ts";
import { utf8 } from "../encoding.ts";
import { Refusal } from "../refusal.ts";
import type { LimitedToken } from "../store/account.ts";
import type { Call } from "./call.ts";
import { failureOf } from "./envelope.ts";

/** What a call needs: the beginning of its path below the account, or of the whole path, and the product in the permission's name. */
const PRODUCTS: readonly (readonly [start: RegExp, product: string])[] = [
  [/^\/accounts\/[^/]+\/(workers|r2\/buckets\/[^/]+\/objects)(\/|$)/, "Workers Scripts"],
  [/^\/accounts\/[^/]+\/r2(\/|$)/, "Workers R2 Storage"],
  [/^\/accounts\/[^/]+\/storage\/kv(\/|$)/, "Workers KV Storage"],
  [/^\/accounts\/[^/]+\/d1(\/|$)/, "D1"],
  [/^\/accounts\/[^/]+\/queues(\/|$)/, "Queues"],
  [/^\/accounts\/[^/]+\/secrets_store(\/|$)/, "Secrets Store"],
  [/^\/zones\/[^/]+\/workers(\/|$)/, "Workers Routes"],
  [/^\/zones\/[^/]+\/dns_records(\/|$)/, "DNS"],
  [/^\/zones(\/|$)/, "Zone"],
];

/** The permission that a call needs, such as `Workers Scripts Write`; `null` if every token may make it. */
export function neededPermission(method: string, path: string): string | null {
  const [, product] = PRODUCTS.find(([start]) => start.test(path)) ?? [];
  if (product === undefined) return null;
  return `${product} ${method === "GET" || method === "HEAD" ? "Read" : "Write"}`;
}

/** Whether this platform accepts a token. */
export async function isKnownToken(token: string | null, environment: Environment): Promise<boolean> {
  if (token === null) return false;
  if (token === environment.LOCAL_API_TOKEN) return true;
  return (await store(environment).limitedToken(await digestOf(utf8(token)))) !== null;
}

/**
 * Accepts the token of the platform, which may do everything, and the tokens of `POST /client/v4/local/tokens` for calls that their
 * permissions allow. As on Cloudflare, "Write" includes "Read".
 */
export async function checkPermission(call: Call, path: string): Promise<Response | null> {
  if (await isPlatformToken(call.req.raw, call.env.LOCAL_API_TOKEN)) return null;
  const { store } = call.var.platform;
  const digest = await digestOf(utf8(bearer(call.req.raw) ?? ""));
  const token = await store.limitedToken(digest);
  if (token === null) {
    throw new Refusal(
      "TOKEN_INVALID",
      "The API token is not the local platform's. Set CLOUDFLARE_API_TOKEN to the value that `npm run dev` printed; a token of a real account is never needed here.",
    );
  }
  const needed = neededPermission(call.req.method, path);
  if (needed !== null && !allows(token, needed)) throw new Refusal("PERMISSION_MISSING", "Authentication error");
  const { fault } = token;
  if (fault === null || fault.method !== call.req.method || !path.endsWith(fault.path)) return null;
  await store.setLimitedToken(digest, { ...token, fault: null });
  return failureOf(fault.status, 10002, "An unknown error has occurred.");
}

function allows({ permissions }: LimitedToken, needed: string): boolean {
  return permissions.includes(needed) || permissions.includes(needed.replace(/ Read$/, " Write"));
}
