import { Refusal } from "../refusal.ts";
import { readHeaders, type HeaderRules } from "./headers-file.ts";
import { readRedirects, type RedirectRules } from "./redirects-file.ts";
import { readStaticRouting, type StaticRouting } from "./static-routing.ts";

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
