/** A wildcard in the source of a rule. */
export const SPLAT = /\*/;
/** A named part in the source of a rule. */
export const PLACEHOLDER = /:[A-Za-z]\w*/;
/** Longer lines of `_headers` and `_redirects` are ignored, as on the platform. */
export const MAX_LINE_LENGTH = 2000;

const ABSOLUTE = /^https:\/\/+([^/]+)\/?(.*)/;

/** Which URLs a rule may have where. */
export interface RuleUrlForm {
  /** Whether `https://host/path` is one; a path always is. */
  readonly absolute: boolean;
  /** Whether the host may have a port. */
  readonly port: boolean;
  /** Whether query and fragment are kept. */
  readonly query: boolean;
}

/** The normal form of a URL in `_headers` or `_redirects`; `null` when it is none, for which the line is ignored. */
export function ruleUrl(text: string, form: RuleUrlForm): string | null {
  const [whole, host, path = ""] = ABSOLUTE.exec(text) ?? [];
  if (whole !== undefined && host !== undefined) {
    if (!form.absolute || (!form.port && /:\d+$/.test(host))) return null;
    const pathname = rulePath(path, form);
    return pathname === null ? null : `https://${host}${pathname}`;
  }
  if (text.startsWith("/")) return rulePath(text, form);
  return form.absolute ? null : rulePath(`/${text}`, form);
}

/** Whether a URL in normal form names a host. */
export function namesHost(url: string): boolean {
  return ABSOLUTE.test(url);
}

function rulePath(path: string, { query }: RuleUrlForm): string | null {
  try {
    const url = new URL(`http://rule.invalid${path.startsWith("/") ? path : `/${path}`}`);
    return query ? url.pathname + url.search + url.hash : url.pathname;
  } catch {
    return null;
  }
}
