import { LineError, PLACEHOLDER, SPLAT, hasHost, readLines, ruleUrl } from "./rule-lines.ts";

const STATUSES = new Set([200, 301, 302, 303, 307, 308]);
const MAX_STATIC_RULES = 2000;
const MAX_DYNAMIC_RULES = 100;

interface Target {
  readonly status: number;
  readonly to: string;
}

/** The redirects in the form that Cloudflare's asset Worker reads. */
export interface RedirectRules {
  readonly version: 1;
  readonly staticRules: Readonly<Record<string, Target & { readonly lineNumber: number }>>;
  readonly rules: Readonly<Record<string, Target>>;
}

/**
 * Reads a `_redirects` file. Rules without a wildcard or a placeholder are looked up first, if they are above the first rule with one.
 * A second rule for the same path is ignored. Cloudflare's parser is in the bundle of wrangler and cannot be imported; this one has its
 * rules and its messages.
 */
export function readRedirects(text: string, htmlHandling: string | undefined): RedirectRules {
  const staticRules = new Map<string, Target & { lineNumber: number }>();
  const rules = new Map<string, Target>();
  readLines("_redirects", text, (line, lineNumber) => {
    const { from, status, to } = readRule(line, htmlHandling);
    if (staticRules.has(from) || rules.has(from)) return;
    const isDynamic = rules.size > 0 || SPLAT.test(from) || PLACEHOLDER.test(from);
    if (isDynamic) {
      checkCount("dynamic", rules.size, MAX_DYNAMIC_RULES);
      rules.set(from, { status, to });
    } else {
      checkCount("static", staticRules.size, MAX_STATIC_RULES);
      staticRules.set(from, { status, to, lineNumber });
    }
  });
  return { version: 1, staticRules: Object.fromEntries(staticRules), rules: Object.fromEntries(rules) };
}

function checkCount(kind: string, count: number, most: number): void {
  if (count >= most) throw new LineError(`Maximum number of ${kind} rules supported is ${most}.`);
}

function readRule(line: string, htmlHandling: string | undefined): Target & { from: string } {
  const tokens = line.replace(/\s+#.*$/, "").split(/\s+/);
  const [rawFrom, rawTo, rawStatus = "302"] = tokens;
  if (rawFrom === undefined || rawTo === undefined || tokens.length > 3) {
    throw new LineError(`Expected exactly 2 or 3 whitespace-separated tokens. Got ${tokens.length}.`);
  }
  const from = ruleUrl(rawFrom, { absolute: false, port: false, query: false });
  const to = ruleUrl(rawTo, { absolute: true, port: true, query: true });
  const status = Number(rawStatus);
  if (!STATUSES.has(status)) {
    throw new LineError(`Valid status codes are 200, 301, 302 (default), 303, 307, or 308. Got ${rawStatus}.`);
  }
  if (isLoop(from, to, htmlHandling)) {
    throw new LineError(
      "Infinite loop detected in this rule. This would cause a redirect to strip `.html` or `/index` and end up triggering this rule again.",
    );
  }
  if (status === 200 && hasHost(to)) throw new LineError(`Proxy (200) redirects can only point to relative paths. Got ${to}`);
  return { from, to, status };
}

/** Whether the response to `to` is a redirect to `from`, because `/index` and `.html` are removed from a path. */
function isLoop(from: string, to: string, htmlHandling: string | undefined): boolean {
  if (hasHost(to) || !/\/index(.html)?$/.test(to)) return false;
  return from.endsWith("/*") || (from.endsWith("/") && htmlHandling !== "none");
}
