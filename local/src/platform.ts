import { store, type Environment, type Remote } from "./environment.ts";
import type { AssetFilesProps } from "./assets/asset-files.ts";
import type { UserCacheProps } from "./isolate/user-cache.ts";
import type { VersionProps } from "./isolate/version-props.ts";
import type { ObjectNamespaceProps } from "./durable-objects/object-namespace.ts";
import type { ScriptProps } from "./script-entrypoint.ts";
import type { Store } from "./store/store.ts";

/** This Worker's own entrypoints, from which stubs are made that an isolate can hold. */
export interface PlatformEntrypoints {
  Script(options: { props: ScriptProps }): Fetcher;
  UserCode(options: { props: VersionProps }): Fetcher;
  Assets(options: { props: VersionProps }): Fetcher;
  AssetFiles(options: { props: AssetFilesProps }): Fetcher;
  UserCache(options: { props: UserCacheProps }): Fetcher;
  DispatchedFetch(options: { props: Record<string, never> }): Fetcher;
  ObjectNamespace(options: { props: ObjectNamespaceProps }): Fetcher;
}

/** What every part of the platform works with. */
export interface Platform {
  readonly environment: Environment;
  readonly entrypoints: PlatformEntrypoints;
  readonly store: Remote<Store>;
}

/** The platform as a request sees it. */
export function platform(environment: Environment, context: { readonly exports: unknown }): Platform {
  // The generated types know the entrypoints only by the main module, which would refer back to this one.
  return { environment, entrypoints: context.exports as PlatformEntrypoints, store: store(environment) };
}
