import { OWN_MODULE_PREFIX, moduleKind, type UploadedModule } from "../deploy/module.ts";
import type { Binding } from "../deploy/binding.ts";
import type { MainModule } from "../script.ts";
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
  objects: `${OWN_MODULE_PREFIX}objects.js`,
  probe: `${OWN_MODULE_PREFIX}probe.js`,
};

/** The named entrypoint of an isolate that was made by {@link probeCode}. */
export const PROBE_ENTRYPOINT = "LocalPlatformProbe";

/** The code of an isolate that serves the script. `env` holds its bindings. */
export function servingCode(source: IsolateSource, env: Record<string, unknown>): WorkerLoaderWorkerCode {
  const { main, modules } = entry(source);
  return code(source, env, main, modules);
}

/** The code of an isolate that starts the script and tells what it exports, but runs none of its handlers. */
export function probeCode(source: IsolateSource, env: Record<string, unknown>): WorkerLoaderWorkerCode {
  const { main, modules } = entry(source);
  return code(source, env, OWN.probe, { ...modules, [OWN.probe]: { js: startProbeModule(PROBE_ENTRYPOINT, main) } });
}

type Modules = Record<string, WorkerLoaderModule>;

/** The module that exports the script's handlers, and all modules it needs. */
function entry(source: IsolateSource): { main: string; modules: Modules } {
  const modules = uploadedModules(source);
  if (source.main.format === "service-worker") {
    return { main: OWN.main, modules: { ...modules, ...serviceWorkerModules(OWN.main, source.main.module, source.bindings) } };
  }
  const objects = source.bindings.filter((binding) => binding.type === "durable_object_namespace");
  if (objects.length === 0) return { main: source.main.module, modules };
  // The bindings are put in place before the first line of the script runs: modules are evaluated in this order.
  const script = JSON.stringify(`./${source.main.module}`);
  const main = `import "./${OWN.objects}";\nimport * as script from ${script};\nexport * from ${script};\nexport default script.default;\n`;
  return {
    main: OWN.main,
    modules: {
      ...modules,
      [OWN.main]: { js: main },
      [OWN.objects]: { js: objectNamespaceModule(objects.map((binding) => binding.name)) },
    },
  };
}

function uploadedModules(source: IsolateSource): Modules {
  const modules: Modules = {};
  for (const module of source.modules) {
    const kind = source.main.format === "service-worker" && module.name === source.main.module ? "cjs" : moduleKind(module.name, module.contentType);
    if (kind !== "none") modules[module.name] = loaderModule(kind, module.bytes);
  }
  return modules;
}

function loaderModule(kind: Exclude<ReturnType<typeof moduleKind>, "none">, bytes: ArrayBuffer): WorkerLoaderModule {
  switch (kind) {
    case "wasm":
      return { wasm: bytes };
    case "data":
      return { data: bytes };
    case "json":
      return { json: JSON.parse(new TextDecoder().decode(bytes)) as unknown };
    case "js":
      return { js: new TextDecoder().decode(bytes) };
    case "cjs":
      return { cjs: new TextDecoder().decode(bytes) };
    case "text":
      return { text: new TextDecoder().decode(bytes) };
  }
}

function code(source: IsolateSource, env: Record<string, unknown>, mainModule: string, modules: Modules): WorkerLoaderWorkerCode {
  return {
    mainModule,
    modules,
    env,
    compatibilityDate: source.compatibilityDate,
    compatibilityFlags: [...source.compatibilityFlags],
  };
}
