import { Refusal } from "../refusal.ts";

/** A binding that the local platform gives to a user Worker. Field names are those of the upload's metadata. */
export type Binding =
  | { readonly type: "plain_text"; readonly name: string; readonly text: string }
  | { readonly type: "secret_text"; readonly name: string; readonly text: string }
  | { readonly type: "json"; readonly name: string; readonly json: unknown }
  | { readonly type: "assets"; readonly name: string }
  | { readonly type: "version_metadata"; readonly name: string }
  | {
      readonly type: "durable_object_namespace";
      readonly name: string;
      readonly class_name: string;
      /** The account Worker that has the class; absent if the Worker has it itself. */
      readonly script_name?: string;
      /** The UUID under which the class of that Worker stores its objects: the deploy finds it. */
      readonly namespace_id?: string;
    }
  | { readonly type: "dispatch_namespace"; readonly name: string; readonly namespace: string }
  | { readonly type: "kv_namespace"; readonly name: string; readonly namespace_id: string }
  | { readonly type: "analytics_engine"; readonly name: string; readonly dataset: string }
  | { readonly type: "pipelines"; readonly name: string; readonly stream?: string; readonly pipeline?: string }
  | {
      readonly type: "ratelimit";
      readonly name: string;
      readonly namespace_id: string;
      /** `period` in seconds. */
      readonly simple: { readonly limit: number; readonly period: number };
    }
  | {
      readonly type: "queue";
      readonly name: string;
      readonly queue_name: string;
      /** Seconds. On Cloudflare it has no effect any more: queues have delays. */
      readonly delivery_delay?: number;
    }
  | { readonly type: "secrets_store_secret"; readonly name: string; readonly store_id: string; readonly secret_name: string }
  | {
      readonly type: "send_email";
      readonly name: string;
      readonly destination_address?: string;
      readonly allowed_destination_addresses?: readonly string[];
      readonly allowed_sender_addresses?: readonly string[];
    }
  | {
      readonly type: "r2_bucket";
      readonly name: string;
      readonly bucket_name: string;
      /** Buckets of a jurisdiction are separate from others of the same name. */
      readonly jurisdiction?: string;
    }
  | { readonly type: "d1"; readonly name: string; readonly id: string }
  | {
      readonly type: "service";
      readonly name: string;
      /** The name of an account Worker. */
      readonly service: string;
      readonly entrypoint?: string;
      /** What the target gets as `ctx.props`. */
      readonly props?: Readonly<Record<string, unknown>>;
    }
  | PartBinding<"wasm_module">
  | PartBinding<"text_blob">
  | PartBinding<"data_blob">;

/** A binding of the service-worker format, where a module is a global of the script. */
interface PartBinding<T extends string> {
  readonly type: T;
  readonly name: string;
  readonly part: string;
}

/** A binding of the current version that the new version has too. */
export interface InheritedBinding {
  readonly type: "inherit";
  readonly name: string;
  /** The binding's name in the current version, if it differs. */
  readonly old_name?: string;
}

/** A binding of an upload. */
export type RequestedBinding = Binding | InheritedBinding;

/** The binding as the API returns it: a secret without its value. */
export function shown(binding: Binding): Record<string, unknown> {
  if (binding.type !== "secret_text") return { ...binding };
  return { type: binding.type, name: binding.name };
}

/**
 * The bindings of a new version: those of the upload, with `inherit` resolved against the current version, and the current ones whose
 * type is in `keepTypes` (wrangler's `keep_bindings`, with which a deploy keeps secrets).
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
