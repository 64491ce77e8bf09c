import { Refusal } from "../refusal.ts";
import type { Binding, RequestedBinding } from "./binding.ts";

/**
 * The bindings of a new version: those asked for, with `inherit` resolved against the current version, and besides them
 * the current ones whose type is among `keepTypes` (wrangler's `keep_bindings`, by which secrets survive a deploy).
 */
export function mergedBindings(
  requested: readonly RequestedBinding[],
  current: readonly Binding[],
  keepTypes: readonly string[],
): Binding[] {
  const merged = new Map<string, Binding>();
  for (const binding of requested) {
    if (merged.has(binding.name)) {
      throw new Refusal("BINDING_INVALID", `Two bindings are called ${binding.name}. Rename one of them.`);
    }
    merged.set(binding.name, binding.type === "inherit" ? inherited(binding, current) : binding);
  }
  for (const binding of current) {
    if (keepTypes.includes(binding.type) && !merged.has(binding.name)) merged.set(binding.name, binding);
  }
  return [...merged.values()];
}

function inherited(wanted: RequestedBinding & { type: "inherit" }, current: readonly Binding[]): Binding {
  const from = wanted.old_name ?? wanted.name;
  const found = current.find((binding) => binding.name === from);
  if (found) return { ...found, name: wanted.name };
  throw new Refusal(
    "BINDING_INVALID",
    // wrangler finds a missing secret by the start of this message, which is Cloudflare's.
    `inherit binding '${wanted.name}' is invalid: the current version of this Worker has no binding ${from}. ` +
      "Set its value, or remove it.",
  );
}
