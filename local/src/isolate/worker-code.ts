import { OWN_MODULE_PREFIX, moduleKind, type UploadedModule } from "../deploy/module.ts";
import type { Binding } from "../deploy/binding.ts";
import type { MainModule } from "../script.ts";
import { cacheModule } from "./cache-module.ts";
import { dispatchedFetchModule } from "./dispatched-fetch-module.ts";
import { objectNamespaceModule } from "./object-namespace-module.ts";
import { serviceWorkerModules } from "./service-worker-module.ts";
import { startProbeModule } from "./start-probe-module.ts";

/** What an isolate is started from. */
export interface IsolateSource {
  readonly main: MainModule;
  readonly modules: readonly UploadedModule[];
  readonly bindings: readonly Binding[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
}

/** Modules that the platform adds around the uploaded ones. */
const OWN = {
  main: `${OWN_MODULE_PREFIX}main.js`,
  cache: `${OWN_MODULE_PREFIX}cache.js`,
  dispatchedFetch: `${OWN_MODULE_PREFIX}fetch.js`,
  objects: `${OWN_MODULE_PREFIX}objects.js`,
  probe: `${OWN_MODULE_PREFIX}probe.js`,
};

/** Names under which `env` holds far ends until the platform's modules have taken them out, before the script runs. */
export const CHANNELS = {
  cache: `${OWN_MODULE_PREFIX}cache`,
  dispatchedFetch: `${OWN_MODULE_PREFIX}fetch`,
};

/** The named entrypoint of an isolate that was made by {@link probeCode}. */
export const PROBE_ENTRYPOINT = "LocalPlatformProbe";

/** The code of an isolate that serves the script. `env` holds its bindings and the {@link CHANNELS}. */
export function servingCode(source: IsolateSource, env: Record<string, unknown>): WorkerLoaderWorkerCode {
  return code(source, env, OWN.main, allModules(source));
}

/** The code of an isolate that starts the script and tells what it exports, but runs none of its handlers. */
export function probeCode(source: IsolateSource, env: Record<string, unknown>): WorkerLoaderWorkerCode {
  const modules = { ...allModules(source), [OWN.probe]: { js: startProbeModule(PROBE_ENTRYPOINT, OWN.main) } };
  return code(source, env, OWN.probe, modules);
}

type Modules = Record<string, WorkerLoaderModule>;

/** The uploaded modules and the platform's own, among them `OWN.main`, which exports the script's handlers. */
function allModules(source: IsolateSource): Modules {
  const objects = source.bindings.filter((binding) => binding.type === "durable_object_namespace");
  const setup: Modules = {
    [OWN.cache]: { js: cacheModule(CHANNELS.cache) },
    [OWN.dispatchedFetch]: { js: dispatchedFetchModule(CHANNELS.dispatchedFetch) },
    [OWN.objects]: { js: objectNamespaceModule(objects.map((binding) => binding.name)) },
  };
  const main =
    source.main.format === "service-worker"
      ? serviceWorkerModules(OWN.main, source.main.module, source.bindings, Object.keys(setup))
      : { [OWN.main]: { js: mainModule(source.main.module, Object.keys(setup)) } };
  return { ...uploadedModules(source), ...setup, ...main };
}

/** Modules are evaluated in the order of their imports, so what the platform sets up is there before the script runs. */
function mainModule(script: string, setup: readonly string[]): string {
  const imports = setup.map((module) => `import "./${module}";`).join("\n");
  const from = JSON.stringify(`./${script}`);
  return `${imports}\nimport * as script from ${from};\nexport * from ${from};\nexport default script.default ?? {};\n`;
}

function uploadedModules(source: IsolateSource): Modules {
  const modules: Modules = {};
  for (const module of source.modules) {
    const kind =
      source.main.format === "service-worker" && module.name === source.main.module
        ? "cjs"
        : moduleKind(module.name, module.contentType);
    if (kind !== "none") modules[module.name] = loaderModule(kind, module);
  }
  return modules;
}

function loaderModule(
  kind: Exclude<ReturnType<typeof moduleKind>, "none">,
  { name, bytes }: UploadedModule,
): WorkerLoaderModule {
  switch (kind) {
    case "wasm":
      return { wasm: bytes };
    case "data":
      return { data: bytes };
    case "json":
      return { json: parsedJson(name, bytes) };
    case "js":
      return { js: new TextDecoder().decode(bytes) };
    case "cjs":
      return { cjs: new TextDecoder().decode(bytes) };
    case "text":
      return { text: new TextDecoder().decode(bytes) };
  }
}

function parsedJson(name: string, bytes: ArrayBuffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new Error(`The module ${name} is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function code(
  source: IsolateSource,
  env: Record<string, unknown>,
  mainModule: string,
  modules: Modules,
): WorkerLoaderWorkerCode {
  return {
    mainModule,
    modules,
    env,
    compatibilityDate: source.compatibilityDate,
    compatibilityFlags: [...source.compatibilityFlags],
  };
}
