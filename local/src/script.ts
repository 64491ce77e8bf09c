import type { Binding } from "./deploy/binding.ts";
import type { AssetConfiguration } from "./assets/configuration.ts";

/** Where a script lives: the namespace and its name there. */
export interface ScriptAddress {
  readonly namespace: string;
  readonly script: string;
}

/** One part of an upload, whose bytes lie in the store under their digest. */
export interface StoredModule {
  /** The part's name, which is what other modules import. */
  readonly name: string;
  /** The part's content type as it was sent. */
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

/** One version of a script, whole: what a deploy makes and what an isolate is started from. */
export interface ScriptVersion {
  /** A UUID, new with every change that a running isolate would have to notice. */
  readonly id: string;
  /** SHA-256 over the modules, in hexadecimal. */
  readonly etag: string;
  /** When this version was made: RFC 3339, UTC. */
  readonly uploadedOn: string;
  /** Absent in a Worker that has assets only. */
  readonly main: MainModule | null;
  readonly modules: readonly StoredModule[];
  readonly bindings: readonly Binding[];
  readonly compatibilityDate: string;
  /** The date that the isolate runs under: an earlier one, where the pinned runtime does not know the date asked for. */
  readonly runtimeDate: string;
  readonly compatibilityFlags: readonly string[];
  /** The tag of the last Durable Object migration, if there was one. */
  readonly migrationTag: string | null;
  /** Durable Object classes and the UUID under which each keeps its objects, which outlives a rename. */
  readonly objectClasses: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly assets: ScriptAssets | null;
  readonly annotations: Readonly<Record<string, string>>;
  /** What is kept and shown again but changes nothing here: observability, limits, placement and the like. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** A script as the store knows it. */
export interface StoredScript extends ScriptAddress {
  /** A UUID, new with every change. */
  readonly revision: string;
  /** When the script was first deployed: RFC 3339, UTC. */
  readonly createdOn: string;
  /** When it last changed: RFC 3339, UTC. */
  readonly modifiedOn: string;
  /** The version that requests get. */
  readonly version: ScriptVersion;
}
