import { MAX_LINE_LENGTH, PLACEHOLDER, SPLAT, namesHost, ruleUrl } from "./rule-url.ts";

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
 * Reads a `_redirects` file. Lines that are none are ignored, as on the platform; rules without wildcard or placeholder
 * are looked up first, as long as they stand above the first rule that has one.
 */
export function readRedirects(text: string, htmlHandling: string | undefined): RedirectRules {
  const staticRules = new Map<string, Target & { lineNumber: number }>();
  const rules = new Map<string, Target>();
  for (const [index, rawLine] of text.split("\n").entries()) {
    const line = rawLine.trim();
    if (line === "" || line.startsWith("#") || line.length > MAX_LINE_LENGTH) continue;
    const rule = readRule(line, htmlHandling);
    if (!rule || staticRules.has(rule.from) || rules.has(rule.from)) continue;
    const { from, status, to } = rule;
    const dynamic = rules.size > 0 || SPLAT.test(from) || PLACEHOLDER.test(from);
    if (dynamic && rules.size < MAX_DYNAMIC_RULES) rules.set(from, { status, to });
    if (!dynamic && staticRules.size < MAX_STATIC_RULES) staticRules.set(from, { status, to, lineNumber: index + 1 });
  }
  return { version: 1, staticRules: Object.fromEntries(staticRules), rules: Object.fromEntries(rules) };
}

function readRule(line: string, htmlHandling: string | undefined): (Target & { from: string }) | null {
  const [rawFrom = "", rawTo, rawStatus = "302", ...others] = line.replace(/\s+#.*$/, "").split(/\s+/);
  if (rawTo === undefined || others.length > 0) return null;
  const from = ruleUrl(rawFrom, { absolute: false, port: false, query: false });
  const to = ruleUrl(rawTo, { absolute: true, port: true, query: true });
  const status = Number(rawStatus);
  if (from === null || to === null || !STATUSES.has(status)) return null;
  if (status === 200 && namesHost(to)) return null;
  return loops(from, to, htmlHandling) ? null : { from, to, status };
}

/** Whether serving `to` would redirect to `from` again, because `/index` and `.html` are taken off a path. */
function loops(from: string, to: string, htmlHandling: string | undefined): boolean {
  if (namesHost(to) || !/\/index(.html)?$/.test(to)) return false;
  return from.endsWith("/*") || (from.endsWith("/") && htmlHandling !== "none");
}
