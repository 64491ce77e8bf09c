import { Refusal } from "../../refusal.ts";

/** A wildcard in the source of a rule. */
export const SPLAT = /\*/;
/** A named part in the source of a rule. */
export const PLACEHOLDER = /:[A-Za-z]\w*/;

/** Longer lines of `_headers` and `_redirects` are ignored, as on Cloudflare. */
const MAX_LINE_LENGTH = 2000;
const ABSOLUTE = /^https:\/\/+([^/]+)\/?(.*)/;

/** A line that Cloudflare refuses. The message is Cloudflare's. */
export class LineError extends Error {}

/**
 * Calls `read` with each line of `_headers` or `_redirects` that is neither empty nor a comment, and with its number from 1. If lines
 * are invalid, the refusal lists all of them, as Cloudflare's does.
 */
export function readLines(file: "_headers" | "_redirects", text: string, read: (line: string, number: number) => void): void {
  const failures: string[] = [];
  for (const [index, rawLine] of text.split("\n").entries()) {
    const line = rawLine.trim();
    if (line === "" || line.startsWith("#") || line.length > MAX_LINE_LENGTH) continue;
    try {
      read(line, index + 1);
    } catch (cause) {
      if (!(cause instanceof LineError)) throw cause;
      failures.push(`Line ${index + 1}: ${cause.message}`);
    }
  }
  if (failures.length === 0) return;
  throw new Refusal("ASSET_RULES_INVALID", `Invalid ${file} configuration:\n${failures.slice(0, 100).join("\n")}`);
}

/** Which URLs a rule may have at a place. */
export interface RuleUrlForm {
  /** Whether `https://host/path` is allowed; a path always is. */
  readonly absolute: boolean;
  /** Whether the host may have a port. */
  readonly port: boolean;
  /** Whether query and fragment remain. */
  readonly query: boolean;
}

/** The normal form of a URL in a rule. Throws a {@link LineError} if it is not one. */
export function ruleUrl(text: string, form: RuleUrlForm): string {
  const [whole, host, path = ""] = ABSOLUTE.exec(text) ?? [];
  if (whole !== undefined && host !== undefined) {
    if (!form.absolute) throw new LineError(`Only relative URLs are allowed. Got the absolute URL ${text}.`);
    if (!form.port && /:\d+$/.test(host)) throw new LineError(`Specifying ports is not supported. Got the absolute URL ${text}.`);
    return `https://${host}${rulePath(path, form)}`;
  }
  if (text.startsWith("/")) return rulePath(text, form);
  if (!form.absolute) return rulePath(`/${text}`, form);
  throw new LineError(
    'URLs should either be relative (e.g. begin with a forward-slash), or use HTTPS (e.g. begin with "https://").',
  );
}

/** Whether a URL in normal form has a host. */
export function hasHost(url: string): boolean {
  return ABSOLUTE.test(url);
}

function rulePath(path: string, { query }: RuleUrlForm): string {
  const url = URL.parse(`http://rule.invalid${path.startsWith("/") ? path : `/${path}`}`);
  if (url === null) throw new LineError(`Error parsing URL segment ${path}.`);
  return query ? url.pathname + url.search + url.hash : url.pathname;
}
