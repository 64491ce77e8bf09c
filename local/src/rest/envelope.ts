import type { Refusal } from "../refusal.ts";

/** What a list returns beside its result. */
export interface ResultInfo {
  readonly count: number;
  readonly per_page: number;
  readonly page?: number;
  readonly total_count?: number;
  readonly total_pages?: number;
  readonly cursor?: string;
}

/** A result in Cloudflare's envelope. */
export function success(result: unknown, options: { status?: number; info?: ResultInfo } = {}): Response {
  const { status = 200, info } = options;
  const envelope = {
    success: true,
    errors: [],
    messages: [],
    result,
    ...(info === undefined ? {} : { result_info: info }),
  };
  return Response.json(envelope, { status, headers: { "cache-control": "no-store" } });
}

/** A refusal in Cloudflare's envelope. */
export function failure({ code, message, status }: Refusal): Response {
  return failureOf(status, code, message);
}

/** An error in Cloudflare's envelope. */
export function failureOf(status: number, code: number, message: string): Response {
  const envelope = { success: false, errors: [{ code, message }], messages: [], result: null };
  return Response.json(envelope, { status, headers: { "cache-control": "no-store" } });
}
