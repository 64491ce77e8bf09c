import { fromBase64, utf8 } from "../../encoding.ts";

/** How long an upload of assets may take, in seconds. */
export const TOKEN_SECONDS = 60 * 60;

/** What a token is for: sending files, or attaching the files that were sent to a deploy. */
export type TokenUse = "upload" | "completion";

interface Claims {
  readonly session: string;
  readonly use: TokenUse;
  /** Seconds since 1970; wrangler reads it. */
  readonly exp: number;
  /** In the token of an upload: tells wrangler since 4.141 to send each file on its own. */
  readonly wrangler_single_asset_uploads?: true;
}

const HEADER = base64url(new Uint8Array(utf8(JSON.stringify({ alg: "HS256", typ: "JWT" }))));

/** Makes the token of an upload session. It is a JWT, because wrangler looks into it for its expiry. */
export async function issueToken(secret: string, session: string, use: TokenUse, now: number): Promise<string> {
  const single = use === "upload" ? ({ wrangler_single_asset_uploads: true } as const) : {};
  const claims: Claims = { session, use, exp: Math.floor(now / 1000) + TOKEN_SECONDS, ...single };
  const signed = `${HEADER}.${base64url(new Uint8Array(utf8(JSON.stringify(claims))))}`;
  const signature = await crypto.subtle.sign("HMAC", await key(secret), utf8(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}

/** The session that a token was made for; `null` for any token that is not this platform's, not for that use, or expired. */
export async function readToken(secret: string, token: string, use: TokenUse, now: number): Promise<string | null> {
  const [header, payload, signature, ...others] = token.split(".");
  if (header !== HEADER || payload === undefined || signature === undefined || others.length > 0) return null;
  try {
    const signed = utf8(`${header}.${payload}`);
    const genuine = await crypto.subtle.verify("HMAC", await key(secret), fromBase64url(signature), signed);
    if (!genuine) return null;
    const claims = JSON.parse(new TextDecoder().decode(fromBase64url(payload))) as Claims;
    return claims.use === use && claims.exp * 1000 >= now ? claims.session : null;
  } catch {
    return null;
  }
}

function key(secret: string): Promise<CryptoKey> {
  const bytes = utf8(`asset upload: ${secret}`);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

function fromBase64url(text: string): ArrayBuffer {
  return fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}
