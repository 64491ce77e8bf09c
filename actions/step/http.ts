import { ActionFailure, TransientFailure } from "./failure.ts";

/** The timeout of a request that is answered at once, in milliseconds. */
export const REQUEST_TIMEOUT = 10_000;

/** The longest response that is parsed, in characters. A page of a hundred comments can have seven million. */
const MAX_RESPONSE = 8 * 1024 * 1024;

/** A response that was read to its end. */
export interface Reply {
  status: number;
  /** The body as JSON; `undefined` if it is not JSON. */
  json: unknown;
}

/** Sends a request. A redirect is not followed, because the request contains a credential. */
export type Send = (url: URL, request: RequestInit) => Promise<Response>;

/**
 * Sends a request and reads its response.
 *
 * Throws a {@link TransientFailure} if there is no response, or one with a status that a repetition may change, and a
 * {@link ActionFailure} for a redirect.
 *
 * @param timeout in milliseconds
 */
export async function request(send: Send, server: string, url: URL, init: RequestInit, timeout: number): Promise<Reply> {
  let response: Response;
  let text: string;
  try {
    response = await send(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.timeout(timeout),
    });
    text = await response.text();
  } catch (error) {
    throw new TransientFailure(`${server} (${url.origin}) does not answer: ${causeOf(error)}.`);
  }
  const reply = { status: response.status, json: parse(text) };
  if (reply.status >= 300 && reply.status < 400) {
    throw new ActionFailure(`${server} redirects`, [
      `${url.origin} answers ${url.pathname} with a redirect, which is not followed with a credential.`,
      "Set the address that it redirects to.",
    ]);
  }
  if (reply.status === 408 || reply.status === 429 || reply.status >= 500) {
    const detail = problemOf(reply.json)?.detail ?? `It answers with the status ${reply.status}.`;
    throw new TransientFailure(
      `${server} (${url.origin}) cannot answer now. ${detail}`,
      retryAfter(response.headers.get("retry-after")),
    );
  }
  return reply;
}

/** The members of a problem document (RFC 9457) of the deploy API. */
export interface Problem {
  title: string;
  detail: string;
  code: string | undefined;
  fix: string | undefined;
  notes: string[];
  request_id: string | undefined;
}

/** Reads a problem document. `undefined` if it is not one. */
export function problemOf(json: unknown): Problem | undefined {
  if (!isObject(json) || typeof json["title"] !== "string" || typeof json["detail"] !== "string") return undefined;
  const text = (member: string) => (typeof json[member] === "string" ? json[member] : undefined);
  const notes = Array.isArray(json["notes"]) ? json["notes"].filter((note) => typeof note === "string") : [];
  return {
    title: json["title"],
    detail: json["detail"],
    code: text("code"),
    fix: text("fix"),
    notes,
    request_id: text("request_id"),
  };
}

/** Whether a value is a JSON object. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(text: string): unknown {
  if (text.length > MAX_RESPONSE) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads `Retry-After` in seconds. A date is ignored: only proxies send one. */
function retryAfter(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}

/** The reason of a failed `fetch`, which is the cause of its error. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "the request timed out";
  const { cause } = error;
  if (cause instanceof Error) return "code" in cause ? `${cause.message || "connection failed"} (${String(cause.code)})` : cause.message;
  return error.message;
}
