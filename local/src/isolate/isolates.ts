import { recordClassScripts } from "../bindings/durable-objects/account-classes.ts";
import { namespaceStubs } from "../bindings/durable-objects/kind.ts";
import { bindingValues } from "../bindings/kinds.ts";
import { recordServices } from "../bindings/service/targets.ts";
import type { UploadedModule } from "../deploy/modules.ts";
import type { Platform } from "../platform.ts";
import { isAccountWorker, type MainModule, type ScriptAddress, type ScriptVersion, type VersionAddress } from "../script.ts";
import { readAllBytes } from "../store/client.ts";
import { tailConsumers } from "../tail-consumers.ts";
import { pooledIsolate } from "./isolate-pool.ts";
import { NAMES } from "./names.ts";
import {
  PROBE_ENTRYPOINT,
  probeCode,
  servingCode,
  type IsolateSource,
  type StartedScript,
} from "./worker-code.ts";

/** The isolate that runs a version. It is started if it does not run. */
export function scriptIsolate(platform: Platform, address: VersionAddress): WorkerStub {
  return pooledIsolate(platform, "script", address, async () => {
    const version = await platform.store.version(address.version);
    if (version === null || version.main === null) throw new Error("Worker not found.");
    await Promise.all([recordServices(platform, version), recordClassScripts(platform, version)]);
    const modules = await readModules(platform, version);
    const code = {
      ...servingCode(isolateSource(address, version, version.main, modules), isolateEnv(platform, address, version)),
      globalOutbound: platform.entrypoint("Outbound", {}),
      ...(tailConsumers(version.settings).length > 0 ? { tails: [platform.entrypoint("Tail", address)] } : {}),
    };
    return { code, moduleBytes: modules.reduce((size, { bytes }) => size + bytes.byteLength, 0) };
  });
}

/** Starts a version that is not stored yet in a separate isolate, and returns what it exports. Rejects with the error of the start. */
export async function startOnce(
  platform: Platform,
  address: ScriptAddress,
  version: ScriptVersion,
  main: MainModule,
  modules: readonly UploadedModule[],
): Promise<StartedScript> {
  const code = probeCode(isolateSource(address, version, main, modules), isolateEnv(platform, address, version));
  const probe = platform.environment.LOADER.load(code).getEntrypoint(PROBE_ENTRYPOINT);
  return await (probe as unknown as { started(): Promise<StartedScript> }).started();
}

/** Reads the modules of a version from the store. */
export async function readModules({ store }: Platform, version: ScriptVersion): Promise<UploadedModule[]> {
  return await Promise.all(
    version.modules.map(async ({ name, contentType, digest }) => ({
      name,
      contentType,
      bytes: await readAllBytes(store, digest),
    })),
  );
}

/** The `env` of an isolate: the values of the version's bindings, and stubs of the host entrypoints. */
function isolateEnv(platform: Platform, address: ScriptAddress, version: ScriptVersion): Record<string, unknown> {
  const { namespace } = address;
  return {
    [NAMES.stubs.cache]: platform.entrypoint("UserCache", { namespace }),
    [NAMES.stubs.sockets]: platform.entrypoint("Outbound", {}),
    [NAMES.stubs.objects]: namespaceStubs({ platform, address, version }),
    ...bindingValues({ platform, address, version }),
  };
}

function isolateSource(
  address: ScriptAddress,
  version: ScriptVersion,
  main: MainModule,
  modules: readonly UploadedModule[],
): IsolateSource {
  const { bindings, objectClasses, exportedClasses = [], runtimeDate, compatibilityFlags } = version;
  return {
    worker: isAccountWorker(address) ? address.script : `${address.namespace}/${address.script}`,
    main,
    modules,
    bindings,
    objectClasses: Object.keys(objectClasses),
    exportedClasses,
    compatibilityDate: runtimeDate,
    compatibilityFlags,
  };
}
