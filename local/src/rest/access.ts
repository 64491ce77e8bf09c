import { utf8 } from "../encoding.ts";
import { Refusal } from "../refusal.ts";

/** Host names that reach only this machine. The deploy API calls its upstream by the last one. */
const HOSTS = new Set(["localhost", "127.0.0.1", "[::1]", "api.cloudflare.com"]);

/** Refuses other host names. Their owners can let them point to this machine, and then a web page can call the API. */
export function checkHost(request: Request): void {
  const { hostname } = new URL(request.url);
  if (HOSTS.has(hostname)) return;
  throw new Refusal(
    "ACCESS_FORBIDDEN",
    `The local platform answers on localhost, 127.0.0.1 and [::1] only, and not as ${hostname}.`,
  );
}

/** Refuses a request that the browser marks as sent by a page of another origin. */
export function checkOrigin(request: Request): void {
  const url = new URL(request.url);
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site");
  if ((origin !== null && origin !== url.origin) || site === "cross-site" || site === "same-site") {
    throw new Refusal("ACCESS_FORBIDDEN", "The local platform's API does not answer web pages of other origins.");
  }
}

/** Whether a request has the token of the platform, which may do everything. */
export async function isPlatformToken(request: Request, token: string | undefined): Promise<boolean> {
  if (token === undefined || token === "") {
    throw new Refusal(
      "PLATFORM_FAILED",
      "LOCAL_API_TOKEN is not set, so no call is accepted. Start the platform with `npm run dev`.",
    );
  }
  const given = bearer(request);
  return given !== null && (await equal(given, token));
}

/** The bearer token of a request. */
export function bearer(request: Request): string | null {
  const [, token] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  return token ?? null;
}

/** Compares digests, so that the duration reveals nothing about the token. */
async function equal(a: string, b: string): Promise<boolean> {
  const [digestA, digestB] = await Promise.all([a, b].map((text) => crypto.subtle.digest("SHA-256", utf8(text))));
  return digestA !== undefined && digestB !== undefined && crypto.subtle.timingSafeEqual(digestA, digestB);
}
