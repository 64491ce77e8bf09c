import { deployedAssets } from "../bindings/assets/deployed-assets.ts";
import { mergedBindings } from "../bindings/binding.ts";
import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import {
  ACCOUNT_NAMESPACE,
  type MainModule,
  type ScriptAddress,
  type ScriptVersion,
  type StoredScript,
  isAccountWorker,
  scriptNotFound,
} from "../script.ts";
import { keepBytes } from "../store/client.ts";
import type { Metadata } from "./metadata.ts";
import { applyDeclaredClasses, applyMigrations } from "./migrations.ts";
import { type UploadedModule, checkModules, checkSize, modulesToStore } from "./modules.ts";
import { changeExisting, changeScript } from "./script-change.ts";
import { type CheckedStart, checkStart } from "./start-check.ts";

/** Cloudflare's limit for the Workers of an account. */
const MAX_ACCOUNT_WORKERS = 500;

/** The result of a deploy. */
export interface Release {
  readonly version: ScriptVersion;
  /** The duration of the start, in milliseconds. */
  readonly startupMs: number;
  /** The handlers that the script's default export has. */
  readonly handlers: readonly string[];
}

/**
 * Deploys an upload: checks it, starts it once, stores its bytes, then makes it the live version in one transaction. If
 * another change is made first, all steps that depend on the current version are repeated with the new one.
 */
export async function release(
  platform: Platform,
  address: ScriptAddress,
  metadata: Metadata,
  modules: readonly UploadedModule[],
): Promise<Release> {
  const newVersion = await prepare(platform, address, metadata, modules);
  let checked: CheckedStart | undefined;
  const version = await changeScript(platform, address, async (current) => {
    if (current === null && isAccountWorker(address)) await checkWorkerCount(platform);
    checked = await newVersion(current);
    return checked.version;
  });
  return { version, startupMs: checked?.startupMs ?? 0, handlers: checked?.handlers ?? [] };
}

/** Stores an upload as a version of an account Worker that is not live. It is checked as for a deploy. */
export async function uploadVersion(
  platform: Platform,
  address: ScriptAddress,
  metadata: Metadata,
  modules: readonly UploadedModule[],
): Promise<Release> {
  if (metadata.migrations !== undefined) {
    throw new Refusal("MIGRATION_INVALID", "Durable Object migrations are applied by `wrangler deploy` only, and not by an upload of a version.");
  }
  const newVersion = await prepare(platform, address, metadata, modules);
  const current = await platform.store.script(address);
  if (current === null) throw scriptNotFound(address);
  const { version, startupMs, handlers } = await newVersion(current);
  if ((await platform.store.uploadVersion(address.script, version)) !== "done") {
    throw new Refusal("OVERTAKEN", `${address.script} was changed by others while the version was uploaded. Nothing was stored: try again.`);
  }
  return { version, startupMs, handlers };
}

/** Checks what does not depend on the current version. Returns a function that makes, starts and stores the new version. */
async function prepare(
  platform: Platform,
  address: ScriptAddress,
  metadata: Metadata,
  modules: readonly UploadedModule[],
): Promise<(current: StoredScript | null) => Promise<CheckedStart>> {
  if (metadata.main !== null) {
    checkModules(metadata.main, modules, metadata.bindings);
  } else if (metadata.assets === null && !metadata.keepAssets) {
    throw new Refusal(
      "SCRIPT_INVALID",
      "The metadata names neither a `main_module` nor a `body_part`, and there are no assets. Give one of them.",
    );
  }
  await checkSize(modules);
  const stored = await modulesToStore(metadata.main, modules);
  const assets = await deployedAssets(platform, address, metadata.assets);
  return async (current) => {
    const kept = metadata.keepAssets ? (current?.version.assets ?? null) : null;
    const next: ScriptVersion = {
      ...carriedOver(metadata, current),
      id: crypto.randomUUID(),
      etag: stored.etag,
      uploadedOn: new Date().toISOString(),
      main: metadata.main,
      modules: stored.modules,
      compatibilityDate: metadata.compatibilityDate,
      runtimeDate: metadata.compatibilityDate,
      compatibilityFlags: metadata.compatibilityFlags,
      assets: assets?.served ?? kept,
      annotations: metadata.annotations,
      settings: metadata.settings,
    };
    const checked = await checkStart(platform, address, next, modules);
    await keepBytes(platform.store, stored.contents);
    if (assets) await keepBytes(platform.store, new Map([[assets.served.manifest, assets.encodedManifest]]));
    return checked;
  };
}

/** Refuses a new account Worker if the account has as many as Cloudflare permits. */
async function checkWorkerCount({ store }: Platform): Promise<void> {
  if ((await store.scriptCount(ACCOUNT_NAMESPACE)) < MAX_ACCOUNT_WORKERS) return;
  throw new Refusal(
    "SCRIPT_LIMIT_REACHED",
    `You have exceeded the limit of ${MAX_ACCOUNT_WORKERS} Workers on your account. Delete one with \`wrangler delete\`.`,
  );
}

/** Replaces the modules of an existing script and changes nothing else. */
export async function replaceModules(
  platform: Platform,
  address: ScriptAddress,
  main: MainModule,
  modules: readonly UploadedModule[],
): Promise<Release> {
  checkModules(main, modules, []);
  await checkSize(modules);
  const stored = await modulesToStore(main, modules);
  let startupMs = 0;
  let handlers: readonly string[] = [];
  const version = await changeExisting(platform, address, async (current) => {
    checkModules(main, modules, current.version.bindings);
    const next: ScriptVersion = {
      ...current.version,
      id: crypto.randomUUID(),
      etag: stored.etag,
      uploadedOn: new Date().toISOString(),
      main,
      modules: stored.modules,
    };
    const checked = await checkStart(platform, address, next, modules);
    ({ startupMs, handlers } = checked);
    await keepBytes(platform.store, stored.contents);
    return checked.version;
  });
  return { version, startupMs, handlers };
}

/** The parts that depend on the current version: kept bindings, the state of migrations, tags. */
function carriedOver(
  metadata: Metadata,
  current: StoredScript | null,
): Pick<ScriptVersion, "bindings" | "migrationTag" | "objectClasses" | "tags"> {
  const before = { tag: current?.version.migrationTag ?? null, classes: current?.version.objectClasses ?? {} };
  const after = applyDeclaredClasses(applyMigrations(before, metadata.migrations), metadata.exports);
  return {
    bindings: mergedBindings(metadata.bindings, current?.version.bindings ?? [], metadata.keepBindings),
    migrationTag: after.tag,
    objectClasses: after.classes,
    tags: metadata.tags ?? current?.version.tags ?? [],
  };
}
