import { MAX_LINE_LENGTH, ruleUrl } from "./rule-url.ts";

const MAX_RULES = 100;

interface HeaderRule {
  readonly set?: Readonly<Record<string, string>>;
  readonly unset?: readonly string[];
}

/** The header rules in the form that Cloudflare's asset Worker reads. */
export interface HeaderRules {
  readonly version: 2;
  readonly rules: Readonly<Record<string, HeaderRule>>;
}

/** A path and the header lines under it. */
interface Section {
  readonly path: string;
  readonly set: Map<string, string>;
  readonly unset: string[];
}

/** Reads a `_headers` file. Lines that are none are ignored, as on the platform. */
export function readHeaders(text: string): HeaderRules {
  const sections: Section[] = [];
  let section: Section | null = null;
  for (const rawLine of text.split("\n")) {
    const line = rawLine.trim();
    if (line === "" || line.startsWith("#") || line.length > MAX_LINE_LENGTH) continue;
    if (/^([^\s]+:\/\/|\/)/.test(line)) {
      section = readSection(line);
      if (section) sections.push(section);
    } else if (section) {
      readHeader(section, line);
    }
  }
  const filled = sections.filter(({ set, unset }) => set.size > 0 || unset.length > 0).slice(0, MAX_RULES);
  return { version: 2, rules: Object.fromEntries(filled.map((one) => [one.path, headerRule(one)])) };
}

function readSection(line: string): Section | null {
  const path = ruleUrl(line, { absolute: true, port: false, query: false });
  if (path === null) return null;
  const wildcards = path.split("*").length - 1;
  if (wildcards > 1 || (wildcards === 1 && /:splat(?!\w)/.test(path))) return null;
  return { path, set: new Map(), unset: [] };
}

function readHeader({ set, unset }: Section, line: string): void {
  const colon = line.indexOf(":");
  if (colon < 0) {
    if (line.startsWith("! ")) unset.push(line.slice(2));
    return;
  }
  const name = line.slice(0, colon).trim().toLowerCase();
  const value = line.slice(colon + 1).trim();
  if (name === "" || name.includes(" ") || value === "") return;
  const before = set.get(name);
  set.set(name, before === undefined ? value : `${before}, ${value}`);
}

function headerRule({ set, unset }: Section): HeaderRule {
  return {
    ...(set.size > 0 ? { set: Object.fromEntries(set) } : {}),
    ...(unset.length > 0 ? { unset } : {}),
  };
}
