import { Refusal } from "../../refusal.ts";
import { type HeaderRules, readHeaders } from "./headers-file.ts";
import { type RedirectRules, readRedirects } from "./redirects-file.ts";

const HTML_HANDLING = ["auto-trailing-slash", "force-trailing-slash", "drop-trailing-slash", "none"];
const NOT_FOUND_HANDLING = ["none", "404-page", "single-page-application"];

/** How the static assets of a script are served. */
export interface AssetConfiguration {
  readonly htmlHandling?: string;
  readonly notFoundHandling?: string;
  readonly basePath?: string;
  /** Whether every request goes to the script before assets are looked for. */
  readonly scriptFirst: boolean;
  /** Paths that go to the script, or to the assets, at once. */
  readonly staticRouting?: StaticRouting;
  readonly redirects?: RedirectRules;
  readonly headers?: HeaderRules;
}

/** Reads `assets.config` of an upload. */
export function readAssetConfiguration(value: unknown): AssetConfiguration {
  if (typeof value !== "object" || value === null)
    throw new Refusal("ASSETS_INVALID", "`assets.config` must be an object.");
  const config = value as Record<string, unknown>;
  const htmlHandling = oneOf(config, "html_handling", HTML_HANDLING);
  const notFoundHandling = oneOf(config, "not_found_handling", NOT_FOUND_HANDLING);
  const basePath = text(config, "base_path");
  const redirects = text(config, "_redirects");
  const headers = text(config, "_headers");
  const first = config["run_worker_first"];
  return {
    scriptFirst: first === true || first === "true" || config["serve_directly"] === false,
    ...(htmlHandling === undefined ? {} : { htmlHandling }),
    ...(notFoundHandling === undefined ? {} : { notFoundHandling }),
    ...(basePath === undefined ? {} : { basePath }),
    ...(Array.isArray(first) ? { staticRouting: readStaticRouting(first) } : {}),
    ...(redirects === undefined ? {} : { redirects: readRedirects(redirects, htmlHandling) }),
    ...(headers === undefined ? {} : { headers: readHeaders(headers) }),
  };
}

function text(config: Record<string, unknown>, key: string): string | undefined {
  const value = config[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw new Refusal("ASSETS_INVALID", `\`assets.config.${key}\` must be a string.`);
}

function oneOf(config: Record<string, unknown>, key: string, allowed: readonly string[]): string | undefined {
  const value = text(config, key);
  if (value === undefined || allowed.includes(value)) return value;
  throw new Refusal(
    "ASSETS_INVALID",
    `\`assets.config.${key}\` is ${JSON.stringify(value)}; use one of ${allowed.join(", ")}.`,
  );
}

const MAX_RULES = 100;
const MAX_RULE_LENGTH = 100;

/** `run_worker_first` as a list: the paths of either side, in the form that Cloudflare's router Worker reads. */
export interface StaticRouting {
  readonly user_worker: readonly string[];
  readonly asset_worker: readonly string[];
}

/** Reads `run_worker_first` where it is a list: `/api/*` goes to the script, `!/api/docs/*` to the assets. */
export function readStaticRouting(rules: readonly unknown[]): StaticRouting {
  const userWorker: string[] = [];
  const assetWorker: string[] = [];
  if (rules.length > MAX_RULES) {
    throw new Refusal(
      "ASSETS_INVALID",
      `\`run_worker_first\` has ${rules.length} rules; the platform allows ${MAX_RULES}.`,
    );
  }
  for (const rule of rules) {
    if (typeof rule !== "string" || !/^!?\//.test(rule) || rule.length > MAX_RULE_LENGTH) {
      throw new Refusal(
        "ASSETS_INVALID",
        `${JSON.stringify(rule)} in \`run_worker_first\` is not a rule: a rule begins with / or !/ and has at most ${MAX_RULE_LENGTH} characters.`,
      );
    }
    if (rule.startsWith("!")) assetWorker.push(rule.slice(1));
    else userWorker.push(rule);
  }
  if (userWorker.length === 0) {
    throw new Refusal("ASSETS_INVALID", "`run_worker_first` needs at least one rule that does not begin with !.");
  }
  return { user_worker: userWorker, asset_worker: assetWorker };
}
