import type { RequestedBinding } from "../bindings/binding.ts";
import { readBinding } from "../bindings/kinds.ts";
import { Refusal } from "../refusal.ts";
import type { MainModule } from "../script.ts";
import { readTags } from "./tags.ts";

/** The compatibility date of an upload without one, as on Cloudflare. */
const DEFAULT_COMPATIBILITY_DATE = "2021-11-02";

/** Keys that are stored and returned but have no effect on this machine. */
const RECORDED = [
  "cache_options",
  "code_update_strategy",
  "limits",
  "logpush",
  "observability",
  "package_dependencies",
  "placement",
  "tail_consumers",
  "usage_model",
] as const;

/** The metadata of an upload. Its syntax is checked; references are checked where they are used. */
export interface Metadata {
  /** Absent for a Worker that has assets only. */
  readonly main: MainModule | null;
  readonly bindings: readonly RequestedBinding[];
  /** The types of bindings that the new version keeps although the upload does not have them. */
  readonly keepBindings: readonly string[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  /** `applyMigrations` reads it. */
  readonly migrations: unknown;
  /** `applyDeclaredClasses` reads it. */
  readonly exports: unknown;
  /** `null` if the upload has no tags. */
  readonly tags: readonly string[] | null;
  readonly assets: { readonly token: string | null; readonly configuration: unknown } | null;
  readonly keepAssets: boolean;
  readonly annotations: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Reads the metadata of an upload. Refuses what is malformed, naming the key. */
export function readMetadata(document: Readonly<Record<string, unknown>>): Metadata {
  if (Array.isArray(document["containers"]) && document["containers"].length > 0) {
    throw new Refusal(
      "NOT_SIMULATED",
      "`containers` are not simulated by the local platform. Remove them from the Worker's configuration for local use.",
    );
  }
  return {
    main: readMain(document),
    bindings: readBindings(document["bindings"]),
    keepBindings: strings(document, "keep_bindings"),
    compatibilityDate: string(document, "compatibility_date") ?? DEFAULT_COMPATIBILITY_DATE,
    compatibilityFlags: strings(document, "compatibility_flags"),
    migrations: document["migrations"],
    exports: document["exports"],
    tags: document["tags"] === undefined ? null : readTags(document["tags"]),
    assets: readAssets(document["assets"]),
    keepAssets: document["keep_assets"] === true || document["keep_assets"] === "true",
    annotations: readAnnotations(document["annotations"]),
    settings: recordedSettings(document),
  };
}

/** Reads the list of bindings of an upload or of a change of settings. */
export function readBindings(value: unknown): RequestedBinding[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map(readBinding);
  throw new Refusal("BINDING_INVALID", "`bindings` must be a list, in which each binding has a `name` and a `type`.");
}

/** The keys of the document that are only stored. */
export function recordedSettings(document: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(RECORDED.filter((key) => document[key] !== undefined).map((key) => [key, document[key]]));
}

/** A string of the document; `null` if it is absent. */
export function string(document: Readonly<Record<string, unknown>>, key: string): string | null {
  const value = document[key];
  if (value === undefined || value === null) return null;
  if (typeof value === "string") return value;
  throw new Refusal("BODY_INVALID", `\`${key}\` must be a string.`);
}

/** A list of strings of the document; empty if it is absent. */
export function strings(document: Readonly<Record<string, unknown>>, key: string): string[] {
  const value = document[key] ?? [];
  if (Array.isArray(value) && value.every((element) => typeof element === "string")) return value as string[];
  throw new Refusal("BODY_INVALID", `\`${key}\` must be a list of strings.`);
}

function readMain(document: Readonly<Record<string, unknown>>): MainModule | null {
  const module = string(document, "main_module");
  const body = string(document, "body_part");
  if (module !== null && body !== null) {
    throw new Refusal(
      "SCRIPT_INVALID",
      "The metadata has both `main_module` and `body_part`. Give `main_module` for ES modules, `body_part` for the service-worker format.",
    );
  }
  if (module !== null) return { format: "modules", module };
  return body === null ? null : { format: "service-worker", module: body };
}

function readAssets(value: unknown): Metadata["assets"] {
  if (value === undefined || value === null) return null;
  if (typeof value !== "object") throw new Refusal("BODY_INVALID", "`assets` must be an object.");
  const assets = value as Record<string, unknown>;
  return { token: string(assets, "jwt"), configuration: assets["config"] ?? {} };
}

function readAnnotations(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
