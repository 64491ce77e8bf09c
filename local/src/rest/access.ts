import { utf8 } from "../encoding.ts";
import { Refusal } from "../refusal.ts";

/** Hosts that only this machine answers for. The last is what the deploy API calls its upstream. */
const HOSTS = new Set(["localhost", "127.0.0.1", "[::1]", "api.cloudflare.com"]);

/** Refuses a foreign host name, which someone may have made to point to this machine to reach it from a web page. */
export function checkHost(request: Request): void {
  const { hostname } = new URL(request.url);
  if (HOSTS.has(hostname)) return;
  throw new Refusal(
    "ACCESS_FORBIDDEN",
    `The local platform answers on localhost, 127.0.0.1 and [::1] only, and not as ${hostname}.`,
  );
}

/** Refuses a request that says itself that a web page of another origin made it. */
export function checkOrigin(request: Request): void {
  const url = new URL(request.url);
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  if ((origin !== null && origin !== url.origin) || site === "cross-site" || site === "same-site") {
    throw new Refusal("ACCESS_FORBIDDEN", "The local platform's API does not answer web pages of other origins.");
  }
}

/** Refuses a request that does not bear the local token. */
export async function checkToken(request: Request, token: string | undefined): Promise<void> {
  if (token === undefined || token === "") {
    throw new Refusal(
      "PLATFORM_FAILED",
      "LOCAL_API_TOKEN is not set, so no call is accepted. Start the platform with `npm run dev`.",
    );
  }
  const given = bearer(request);
  if (given !== null && (await equal(given, token))) return;
  throw new Refusal(
    "TOKEN_INVALID",
    "The API token is not the local platform's. Set CLOUDFLARE_API_TOKEN to the value that `npm run dev` printed; a token of a real account is never needed here.",
  );
}

/** The bearer token of a request. */
export function bearer(request: Request): string | null {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  return token ?? null;
}

/** Compares digests, so that the time it takes tells nothing of the token. */
async function equal(a: string, b: string): Promise<boolean> {
  const [digestA, digestB] = await Promise.all([a, b].map((text) => crypto.subtle.digest("SHA-256", utf8(text))));
  return digestA !== undefined && digestB !== undefined && crypto.subtle.timingSafeEqual(digestA, digestB);
}
