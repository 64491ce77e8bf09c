import { LineError, readLines, ruleUrl } from "./rule-lines.ts";

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

/**
 * Reads a `_headers` file. A path without headers is ignored. Cloudflare's parser is in the bundle of wrangler and cannot be imported;
 * this one has its rules and its messages.
 */
export function readHeaders(text: string): HeaderRules {
  const sections: Section[] = [];
  let section: Section | null = null;
  // The headers of an invalid path are not reported.
  let isPathInvalid = false;
  readLines("_headers", text, (line) => {
    if (/^([^\s]+:\/\/|\/)/.test(line)) {
      isPathInvalid = true;
      section = readSection(line);
      isPathInvalid = false;
      sections.push(section);
    } else if (!isPathInvalid) {
      readHeader(section, line);
    }
  });
  const filled = sections.filter(({ set, unset }) => set.size > 0 || unset.length > 0);
  return { version: 2, rules: Object.fromEntries(filled.map((one) => [one.path, headerRule(one)])) };

  function readSection(line: string): Section {
    if (sections.length >= MAX_RULES) throw new LineError(`Maximum number of rules supported is ${MAX_RULES}.`);
    const path = ruleUrl(line, { absolute: true, port: false, query: false });
    const wildcards = path.split("*").length - 1;
    if (wildcards > 1) {
      throw new LineError("Only one wildcard is allowed per rule. Use a named placeholder (e.g. :project) instead.");
    }
    if (wildcards === 1 && /:splat(?!\w)/.test(path)) {
      throw new LineError(
        "Cannot combine a wildcard * with a :splat placeholder because wildcards are converted to :splat at runtime.",
      );
    }
    return { path, set: new Map(), unset: [] };
  }
}

function readHeader(section: Section | null, line: string): void {
  if (section === null) throw new LineError("Expected a path before headers");
  const { set, unset } = section;
  const colon = line.indexOf(":");
  if (colon < 0) {
    if (!line.startsWith("! ")) throw new LineError("Expected a colon-separated header pair (e.g. name: value)");
    unset.push(line.slice(2));
    return;
  }
  const name = line.slice(0, colon).trim().toLowerCase();
  const value = line.slice(colon + 1).trim();
  if (name.includes(" ")) throw new LineError("Header name cannot include spaces");
  if (name === "") throw new LineError("No header name specified");
  if (value === "") throw new LineError("No header value specified");
  const before = set.get(name);
  set.set(name, before === undefined ? value : `${before}, ${value}`);
}

function headerRule({ set, unset }: Section): HeaderRule {
  return {
    ...(set.size > 0 ? { set: Object.fromEntries(set) } : {}),
    ...(unset.length > 0 ? { unset } : {}),
  };
}
