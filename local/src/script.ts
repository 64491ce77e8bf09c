import type { AssetConfiguration } from "./bindings/assets/configuration.ts";
import type { Binding } from "./bindings/binding.ts";
import { Refusal } from "./refusal.ts";

/**
 * The namespace under which the platform stores account Workers, which belong to no dispatch namespace. A dispatch namespace cannot have
 * this name: Cloudflare permits letters, digits and dashes.
 */
export const ACCOUNT_NAMESPACE = "@account";

/** A script: the namespace and its name there. An account Worker has the namespace {@link ACCOUNT_NAMESPACE}. */
export interface ScriptAddress {
  readonly namespace: string;
  readonly script: string;
}

/** A version of a script. */
export interface VersionAddress extends ScriptAddress {
  /** The version's id, a UUID. */
  readonly version: string;
}

/** One part of an upload. The store has its bytes under their digest. */
export interface StoredModule {
  /** The part's name, which is what other modules import. */
  readonly name: string;
  /** The part's content type as the client sent it. */
  readonly contentType: string;
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

/** The entry of a script: an ES module, or a script in the older service-worker format. */
export interface MainModule {
  readonly format: "modules" | "service-worker";
  readonly module: string;
}

/** The static assets of a script. */
export interface ScriptAssets {
  /** Digest of the manifest in the form that Cloudflare's asset Worker reads. */
  readonly manifest: string;
  readonly configuration: AssetConfiguration;
}

/** One complete version of a script. A deploy creates it, and an isolate is started from it. */
export interface ScriptVersion {
  /** A UUID. Every change that concerns a running isolate creates a new one. */
  readonly id: string;
  /** SHA-256 over the modules, in hexadecimal. */
  readonly etag: string;
  /** When this version was created: RFC 3339, UTC. */
  readonly uploadedOn: string;
  /** Absent in a Worker that has assets only. */
  readonly main: MainModule | null;
  readonly modules: readonly StoredModule[];
  readonly bindings: readonly Binding[];
  readonly compatibilityDate: string;
  /** The date with which the isolate runs: an earlier one if the pinned runtime does not know the requested date. */
  readonly runtimeDate: string;
  readonly compatibilityFlags: readonly string[];
  /** The tag of the last Durable Object migration, if there was one. */
  readonly migrationTag: string | null;
  /** Durable Object classes and the UUID under which each stores its objects. A rename does not change the UUID. */
  readonly objectClasses: Readonly<Record<string, string>>;
  /** The exported classes, without a default export. Versions of earlier releases do not have it. */
  readonly exportedClasses?: readonly string[];
  /** The handlers of the default export. Versions of earlier releases do not have it. */
  readonly handlers?: readonly string[];
  readonly tags: readonly string[];
  readonly assets: ScriptAssets | null;
  readonly annotations: Readonly<Record<string, string>>;
  /** Settings that are stored and returned but have no effect here: observability, limits, placement and others. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A script in the store. */
export interface StoredScript extends ScriptAddress {
  /** A UUID. Every change creates a new one. */
  readonly revision: string;
  /** When the script was first deployed: RFC 3339, UTC. */
  readonly createdOn: string;
  /** When it last changed: RFC 3339, UTC. */
  readonly modifiedOn: string;
  /** The version that requests get. */
  readonly version: ScriptVersion;
}

/** Cloudflare's rule for the name of a script in a dispatch namespace, and its maximum length. */
const NAME = /^[a-z0-9_][a-z0-9_-]*$/;
const MAX_LENGTH = 63;

/** Refuses a name that Cloudflare refuses. The dispatch Worker routes only to a part of these names; that is not checked here. */
export function checkScriptName(name: string): void {
  if (NAME.test(name) && name.length <= MAX_LENGTH) return;
  throw new Refusal(
    "NAME_INVALID",
    `${JSON.stringify(name)} is not a script name. Use at most ${MAX_LENGTH} lower-case letters, digits, dashes and ` +
      "underscores, and begin with a letter, a digit or an underscore.",
  );
}

/** The address of an account Worker. */
export function accountAddress(name: string): ScriptAddress {
  return { namespace: ACCOUNT_NAMESPACE, script: name };
}

/** Whether a script is an account Worker. */
export function isAccountWorker({ namespace }: ScriptAddress): boolean {
  return namespace === ACCOUNT_NAMESPACE;
}

/** The refusal for a script that does not exist. */
export function scriptNotFound({ namespace, script }: ScriptAddress): Refusal {
  if (namespace === ACCOUNT_NAMESPACE) {
    return new Refusal(
      "ACCOUNT_SCRIPT_NOT_FOUND",
      `This Worker does not exist on your account: ${script}. Deploy it with \`wrangler deploy\`; Workers of dispatch namespaces are separate.`,
    );
  }
  return new Refusal(
    "SCRIPT_NOT_FOUND",
    `This Worker does not exist in the dispatch namespace: ${script} in ${namespace}.`,
  );
}
