import emailModule from "../bindings/email/email.isolate.js";
import { bindingSetups } from "../bindings/kinds.ts";
import facetsModule from "../bindings/durable-objects/facets.isolate.js";
import namespaceModule from "../bindings/durable-objects/namespace.isolate.js";
import objectModule from "../bindings/durable-objects/object.isolate.js";
import type { Binding } from "../bindings/binding.ts";
import { OWN_MODULE_PREFIX, moduleKind, type UploadedModule } from "../deploy/modules.ts";
import type { MainModule } from "../script.ts";
import cacheModule from "./cache.isolate.js";
import classesModule from "./classes.isolate.js";
import consoleModule from "./console.isolate.js";
import depthModule from "./depth.isolate.js";
import endModule from "./end.isolate.js";
import invocationsModule from "./invocations.isolate.js";
import { NAMES } from "./names.ts";
import serviceWorkerModule from "./service-worker.isolate.js";
import socketsModule from "./sockets.isolate.js";
import tailModule from "./tail.isolate.js";
import startProbeModule from "./start-probe.isolate.js";

/** What an isolate is started from. */
export interface IsolateSource {
  /** How lines of the console name the Worker. */
  readonly worker: string;
  readonly main: MainModule;
  readonly modules: readonly UploadedModule[];
  readonly bindings: readonly Binding[];
  /** The names of the Durable Object classes of the migrations. */
  readonly objectClasses: readonly string[];
  /** The names of the exported classes, without a default export. */
  readonly exportedClasses: readonly string[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
}

/** What a started script exports: the result of `StartProbe.started` in `start-probe.isolate.js`. */
export interface StartedScript {
  /** Whether anything can call it: a handler of the default export, or an exported class. */
  readonly callable: boolean;
  /** The handlers of the default export. */
  readonly handlers: readonly string[];
  /** The exported classes. */
  readonly classes: readonly string[];
}

/** The named entrypoint of an isolate that {@link probeCode} starts. */
export const PROBE_ENTRYPOINT = "StartProbe";

/** Names of the modules that the platform adds to the uploaded ones. The `*.isolate.js` files import each other by these names. */
const OWN = {
  main: `${OWN_MODULE_PREFIX}main.js`,
  cache: `${OWN_MODULE_PREFIX}cache.js`,
  classes: `${OWN_MODULE_PREFIX}classes.js`,
  console: `${OWN_MODULE_PREFIX}console.js`,
  depth: `${OWN_MODULE_PREFIX}depth.js`,
  names: `${OWN_MODULE_PREFIX}names.js`,
  worker: `${OWN_MODULE_PREFIX}worker.js`,
  serviceWorker: `${OWN_MODULE_PREFIX}service-worker.js`,
  bindings: `${OWN_MODULE_PREFIX}bindings.js`,
  probe: `${OWN_MODULE_PREFIX}probe.js`,
  globals: `${OWN_MODULE_PREFIX}globals.js`,
  script: `${OWN_MODULE_PREFIX}script.js`,
  namespaces: `${OWN_MODULE_PREFIX}/bindings/durable_object_namespace/setup.js`,
  objects: `${OWN_MODULE_PREFIX}objects.js`,
  facets: `${OWN_MODULE_PREFIX}facets.js`,
  invocations: `${OWN_MODULE_PREFIX}invocations.js`,
  end: `${OWN_MODULE_PREFIX}end.js`,
  tail: `${OWN_MODULE_PREFIX}tail.js`,
  serve: `${OWN_MODULE_PREFIX}serve.js`,
};

type Modules = Record<string, WorkerLoaderModule>;

/** The code of an isolate that serves the script. `env` holds its bindings and the stubs of {@link NAMES}. */
export function servingCode(source: IsolateSource, env: Record<string, unknown>): WorkerLoaderWorkerCode {
  const objects = new Set(source.objectClasses);
  const names = [...new Set([...objects, ...source.exportedClasses])];
  const classes = names.map((name) => [JSON.stringify(name), objects.has(name)]);
  const lines = [
    `import * as main from "./${OWN.main}";`,
    `import { servedClass, servedDefault } from "./${OWN.classes}";`,
    `export * from "./${OWN.main}";`,
    `export { ${NAMES.endEntrypoint} } from "./${OWN.end}";`,
    `export { ${NAMES.tailEntrypoint} } from "./${OWN.tail}";`,
    ...classes.map(
      ([name, isObject], index) => `const class${index} = servedClass(main[${name}], ${isObject}); export { class${index} as ${name} };`,
    ),
    "export default servedDefault(main.default);",
  ];
  const own = { [OWN.classes]: { js: classesModule }, [OWN.tail]: { js: tailModule }, [OWN.serve]: { js: `${lines.join("\n")}\n` } };
  const modules = { ...allModules(source), ...endModules(), ...own };
  return code(source, env, OWN.serve, modules);
}

/** The code of an isolate that serves a Worker of the platform's, whose main module is `worker`. */
export function platformCode(worker: string, compatibilityDate: string, env: object): WorkerLoaderWorkerCode {
  const lines = [
    `export { default } from "./${OWN.main}";`,
    `export * from "./${OWN.main}";`,
    `export { ${NAMES.endEntrypoint} } from "./${OWN.end}";`,
  ];
  const modules = { ...endModules(), [OWN.main]: { js: worker }, [OWN.serve]: { js: `${lines.join("\n")}\n` } };
  return { mainModule: OWN.serve, modules, env, compatibilityDate, globalOutbound: null };
}

/** The code of an isolate that starts the script and reports what it exports, but runs none of its handlers. */
export function probeCode(source: IsolateSource, env: Record<string, unknown>): WorkerLoaderWorkerCode {
  return code(source, env, OWN.probe, { ...allModules(source), [OWN.probe]: { js: startProbeModule } });
}

/** The uploaded modules and the platform's, among them `OWN.main`, which exports the script's handlers. */
function allModules(source: IsolateSource): Modules {
  const own: Modules = {
    [OWN.cache]: { js: cacheModule },
    [OWN.console]: { js: consoleModule },
    [OWN.worker]: { js: `export default ${JSON.stringify(source.worker)};\n` },
    [OWN.depth]: { js: depthModule },
    [OWN.names]: { js: `export default ${JSON.stringify(NAMES)};\n` },
    "cloudflare:email": { js: emailModule },
    "cloudflare:sockets": { js: socketsModule },
    ...bindingModules(source.bindings),
    [OWN.namespaces]: { js: namespaceModule },
    [OWN.objects]: { js: objectModule },
    [OWN.facets]: { js: facetsModule },
  };
  const setup = importsOf([OWN.cache, OWN.depth, "cloudflare:sockets", OWN.bindings, OWN.objects]);
  const main = source.main.format === "service-worker" ? serviceWorker(source, setup) : esModule(source.main.module, setup);
  return { ...uploadedModules(source), ...own, ...main };
}

/** The modules with the entrypoint that ends the isolate. */
function endModules(): Modules {
  return { [OWN.invocations]: { js: invocationsModule }, [OWN.end]: { js: endModule } };
}

/** The module that replaces values in `env` with the objects that the script sees, and the modules that define those objects. */
function bindingModules(bindings: readonly Binding[]): Modules {
  const setups = bindingSetups(bindings);
  const modules: Modules = {};
  const imports: string[] = [];
  const assignments: string[] = [];
  for (const [index, { type, source, imports: imported, names }] of setups.entries()) {
    const module = `${OWN_MODULE_PREFIX}/bindings/${type}/setup.js`;
    modules[module] = { js: source };
    for (const [path, text] of Object.entries(imported)) {
      modules[new URL(path, `file:///${module}`).pathname.slice(1)] = { js: text };
    }
    imports.push(`import setup${index} from "./${module}";`);
    for (const name of names.map((name) => JSON.stringify(name))) {
      assignments.push(`env[${name}] = setup${index}(env[${name}], ${name});`);
    }
  }
  const lines = [`import { env } from "cloudflare:workers";`, ...imports, ...assignments];
  return { ...modules, [OWN.bindings]: { js: `${lines.join("\n")}\n` } };
}

/** Modules are evaluated in the order of their imports, so the platform's are evaluated before the script. */
function esModule(module: string, setup: string): Modules {
  const from = JSON.stringify(`./${module}`);
  const lines = [
    setup,
    `import { countInvocations } from "./${OWN.depth}";`,
    `import * as script from ${from};`,
    "countInvocations(script);",
    `export * from ${from};`,
    "export default script.default ?? {};",
  ];
  return { [OWN.main]: { js: `${lines.join("\n")}\n` } };
}

/**
 * The modules that run a script in the older service-worker format, which the Worker Loader does not start itself: its bindings become
 * globals. The script is loaded as CommonJS, which runs it as sloppy code like a classic script.
 */
function serviceWorker({ main, bindings }: IsolateSource, setup: string): Modules {
  const parts = bindings.flatMap((binding) => ("part" in binding ? [binding] : []));
  const imports = parts.map(({ part }, index) => `import part${index} from ${JSON.stringify(`./${part}`)};`);
  const entries = parts.map(({ name }, index) => `${JSON.stringify(name)}: part${index}`);
  const globals = [
    setup,
    `import { env } from "cloudflare:workers";`,
    ...imports,
    "export const listeners = [];",
    `Object.assign(globalThis, env, { ${entries.join(", ")} });`,
    `globalThis.addEventListener = (type, listener) => { if (type === "fetch") listeners.push(listener); };`,
  ];
  return {
    [OWN.globals]: { js: `${globals.join("\n")}\n` },
    [OWN.script]: { js: `import ${JSON.stringify(`./${main.module}`)};\n` },
    [OWN.serviceWorker]: { js: serviceWorkerModule },
    ...esModule(OWN.serviceWorker, setup),
  };
}

function importsOf(modules: readonly string[]): string {
  return modules.map((module) => `import "${module.includes(":") ? module : `./${module}`}";`).join("\n");
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
    compatibilityFlags: flagsWithNeeded(source),
  };
}

/** From this date on, stubs have methods without the flag `rpc`, which the runtime then refuses. */
const RPC_DATE = "2024-04-03";

/** The flags of a script, and those that the platform's modules need: `AsyncLocalStorage`, and calls of methods of stubs. */
function flagsWithNeeded({ compatibilityFlags: flags, compatibilityDate: date }: IsolateSource): string[] {
  const needed = flags.some((flag) => flag === "nodejs_compat" || flag === "nodejs_als") ? [] : ["nodejs_als"];
  if (date < RPC_DATE && !flags.includes("rpc")) needed.push("rpc");
  return [...flags, ...needed];
}
