import { Refusal } from "../refusal.ts";

/** A part of an upload: a module, or a source map. */
export interface UploadedModule {
  readonly name: string;
  /** The content type without parameters, in lower case. */
  readonly contentType: string;
  readonly bytes: ArrayBuffer;
}

/** What a module is to the runtime; `none` for what only travels along, such as a source map. */
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

/** Names that begin so are the platform's own, see `isolate/`. */
export const OWN_MODULE_PREFIX = "__local_platform__";

/** What a module of that content type is. Refuses types that the local platform cannot run, naming the module. */
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
