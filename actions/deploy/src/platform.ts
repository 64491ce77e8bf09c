import type { Environment } from "./inputs.ts";

/** `actions/build.ts` writes the values into the built action. */
declare const PLATFORM_NAMESPACES: Record<Environment, string>;
declare const PLATFORM_VERSION: string;

/** The dispatch namespace of each environment, from `dotdo.jsonc`. */
export const NAMESPACES = PLATFORM_NAMESPACES;

/** The version of this repository, whose release has `dotdo`. */
export const VERSION = PLATFORM_VERSION;
