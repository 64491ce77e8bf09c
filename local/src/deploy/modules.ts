import type { RequestedBinding } from "../bindings/binding.ts";
import { utf8 } from "../encoding.ts";
import { Refusal } from "../refusal.ts";
import type { MainModule, StoredModule } from "../script.ts";
import { digestOf } from "../store/client.ts";

/** A part of an upload: a module, or a source map. */
export interface UploadedModule {
  readonly name: string;
  /** The content type without parameters, in lower case. */
  readonly contentType: string;
  readonly bytes: ArrayBuffer;
}

/** The kind of a module for the runtime; `none` for a part that it does not load, such as a source map. */
export type ModuleKind = "js" | "cjs" | "text" | "data" | "json" | "wasm" | "none";

const KINDS: Readonly<Record<string, ModuleKind>> = {
  "application/javascript+module": "js",
  "text/javascript+module": "js",
  "application/javascript": "cjs",
  "text/javascript": "cjs",
  "application/wasm": "wasm",
  "text/plain": "text",
  "text/html": "text",
  "application/octet-stream": "data",
  "application/json": "json",
  "application/source-map": "none",
};

/** The prefix of the names of the platform's modules: `isolate/`. */
export const OWN_MODULE_PREFIX = "__local_platform__";

/** The kind of a module with this content type. Refuses types that the local platform cannot run, and names the module. */
export function moduleKind(name: string, contentType: string): ModuleKind {
  const kind = KINDS[contentType];
  if (kind !== undefined) return kind;
  if (contentType.startsWith("text/x-python")) {
    throw new Refusal(
      "NOT_SIMULATED",
      `The module ${name} is Python, which the local platform does not run. Deploy it to a remote namespace.`,
    );
  }
  throw new Refusal(
    "SCRIPT_INVALID",
    `The module ${name} has the content type ${JSON.stringify(contentType)}, which is none of ${Object.keys(KINDS).join(", ")}.`,
  );
}

/** Refuses a module's name that is not a plain relative path. */
export function checkModuleName(name: string): void {
  const segments = name.split("/");
  const plain =
    name.length <= 1024 && !/[\\\0-\x1f]/.test(name) && segments.every((segment) => segment !== "" && segment !== "..");
  if (!plain) {
    throw new Refusal(
      "SCRIPT_INVALID",
      `${JSON.stringify(name)} is not a module's name: it must be a relative path without "..".`,
    );
  }
  if (name.startsWith(OWN_MODULE_PREFIX)) {
    throw new Refusal(
      "SCRIPT_INVALID",
      `The module ${name} begins with ${OWN_MODULE_PREFIX}, which the local platform uses itself. Rename it.`,
    );
  }
}

/** Refuses modules that cannot be run, a main module that was not sent, and bindings to parts that were not sent. */
export function checkModules(
  main: MainModule,
  modules: readonly UploadedModule[],
  bindings: readonly RequestedBinding[],
): void {
  for (const { name, contentType } of modules) moduleKind(name, contentType);
  const module = modules.find(({ name }) => name === main.module);
  if (!module) {
    throw new Refusal(
      "SCRIPT_INVALID",
      `The metadata names ${JSON.stringify(main.module)} as the main module, but no part is called so. Send that part.`,
    );
  }
  if (main.format === "modules" && moduleKind(module.name, module.contentType) !== "js") {
    throw new Refusal(
      "SCRIPT_INVALID",
      `The main module ${main.module} has the content type ${JSON.stringify(module.contentType)}. An ES module is sent as application/javascript+module; a script in the service-worker format is named by \`body_part\`.`,
    );
  }
  for (const binding of bindings) {
    if (!("part" in binding)) continue;
    if (main.format === "modules") {
      throw new Refusal(
        "BINDING_INVALID",
        `The binding ${binding.name} of type ${binding.type} exists only in the service-worker format. Import ${binding.part} as a module.`,
      );
    }
    if (!modules.some(({ name }) => name === binding.part)) {
      throw new Refusal(
        "BINDING_INVALID",
        `The binding ${binding.name} names the part ${JSON.stringify(binding.part)}, which was not sent.`,
      );
    }
  }
}

/** Modules in the form in which a version refers to them, and their bytes by digest. */
export interface ModulesToStore {
  readonly modules: readonly StoredModule[];
  readonly contents: ReadonlyMap<string, ArrayBuffer>;
  /** SHA-256 over all modules, in hexadecimal. */
  readonly etag: string;
}

/** Computes the digests of modules. */
export async function modulesToStore(
  main: MainModule | null,
  uploaded: readonly UploadedModule[],
): Promise<ModulesToStore> {
  const contents = new Map<string, ArrayBuffer>();
  const modules: StoredModule[] = [];
  for (const { name, contentType, bytes } of uploaded) {
    const digest = await digestOf(bytes);
    contents.set(digest, bytes);
    modules.push({ name, contentType, digest, size: bytes.byteLength });
  }
  const etag = await digestOf(utf8(JSON.stringify([main, modules])));
  return { modules, contents, etag };
}

/** The platform's limit for a script after compression, and before it. */
const MAX_COMPRESSED_BYTES = 10 * 1024 * 1024;
const MAX_BYTES = 64 * 1024 * 1024;

/** Refuses modules that are too large together; source maps do not count. */
export async function checkSize(modules: readonly UploadedModule[]): Promise<void> {
  const counted = modules.filter(({ contentType }) => contentType !== "application/source-map");
  const size = counted.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  if (size > MAX_BYTES) throw tooLarge(size, MAX_BYTES, "");
  if (size <= MAX_COMPRESSED_BYTES) return;
  const compressed = await compressedSize(new Blob(counted.map(({ bytes }) => bytes)));
  if (compressed > MAX_COMPRESSED_BYTES) throw tooLarge(compressed, MAX_COMPRESSED_BYTES, " after compression");
}

async function compressedSize(blob: Blob): Promise<number> {
  let size = 0;
  for await (const chunk of blob.stream().pipeThrough(new CompressionStream("gzip"))) {
    size += (chunk as Uint8Array).byteLength;
  }
  return size;
}

function tooLarge(size: number, limit: number, after: string): Refusal {
  return new Refusal(
    "SCRIPT_TOO_LARGE",
    `The script has ${size} bytes${after}; the platform allows ${limit}. Leave out what it does not need, or move files to static assets.`,
  );
}
