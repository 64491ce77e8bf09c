import { deployedAssets } from "../bindings/assets/deployed-assets.ts";
import { mergedBindings } from "../bindings/binding.ts";
import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import type { MainModule, ScriptAddress, ScriptVersion, StoredScript } from "../script.ts";
import { keepBytes } from "../store/client.ts";
import type { Metadata } from "./metadata.ts";
import { applyDeclaredClasses, applyMigrations } from "./migrations.ts";
import { type UploadedModule, checkModules, checkSize, modulesToStore } from "./modules.ts";
import { changeExisting, changeScript } from "./script-change.ts";
import { checkStart } from "./start-check.ts";

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
  let startupMs = 0;
  let handlers: readonly string[] = [];
  const version = await changeScript(platform, address, async (current) => {
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
    ({ startupMs, handlers } = checked);
    await keepBytes(platform.store, stored.contents);
    if (assets) await keepBytes(platform.store, new Map([[assets.served.manifest, assets.encodedManifest]]));
    return checked.version;
  });
  return { version, startupMs, handlers };
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
