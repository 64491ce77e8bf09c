import type { UploadedModule } from "../deploy/module.ts";
import type { Platform } from "../platform.ts";
import type { MainModule, ScriptAddress, ScriptVersion } from "../script.ts";
import { readAllBytes } from "../store/bytes.ts";
import { bindingValues } from "./binding-values.ts";
import { isolateName, type VersionProps } from "./version-props.ts";
import { PROBE_ENTRYPOINT, probeCode, servingCode, type IsolateSource } from "./worker-code.ts";
import type { StartedScript } from "./start-probe-module.ts";

/** The isolate that runs a version, started if it is not running yet. */
export function scriptIsolate(platform: Platform, props: VersionProps): WorkerStub {
  return platform.environment.LOADER.get(isolateName("script", props), async () => {
    const version = await platform.store.version(props.version);
    if (version === null || version.main === null) throw new Error("Worker not found.");
    const modules = await readModules(platform, version);
    return servingCode(isolateSource(version, version.main, modules), bindingValues(platform, props, version));
  });
}

/** Starts a version that is not stored yet, in an isolate of its own, and says what it exports. Rejects as the start does. */
export async function startOnce(
  platform: Platform,
  address: ScriptAddress,
  version: ScriptVersion,
  main: MainModule,
  modules: readonly UploadedModule[],
): Promise<StartedScript> {
  const code = probeCode(isolateSource(version, main, modules), bindingValues(platform, address, version));
  const probe = platform.environment.LOADER.load(code).getEntrypoint(PROBE_ENTRYPOINT);
  return await (probe as unknown as { started(): Promise<StartedScript> }).started();
}

/** Reads the modules of a version back. */
export async function readModules({ store }: Platform, version: ScriptVersion): Promise<UploadedModule[]> {
  return await Promise.all(
    version.modules.map(async ({ name, contentType, digest }) => ({
      name,
      contentType,
      bytes: await readAllBytes(store, digest),
    })),
  );
}

function isolateSource(version: ScriptVersion, main: MainModule, modules: readonly UploadedModule[]): IsolateSource {
  const { bindings, runtimeDate, compatibilityFlags } = version;
  return { main, modules, bindings, compatibilityDate: runtimeDate, compatibilityFlags };
}
