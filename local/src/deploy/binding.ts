/** A binding that the local platform gives to a user Worker. Field names are those of the upload's metadata. */
export type Binding =
  | { readonly type: "plain_text"; readonly name: string; readonly text: string }
  | { readonly type: "secret_text"; readonly name: string; readonly text: string }
  | { readonly type: "json"; readonly name: string; readonly json: unknown }
  | { readonly type: "assets"; readonly name: string }
  | { readonly type: "version_metadata"; readonly name: string }
  | { readonly type: "durable_object_namespace"; readonly name: string; readonly class_name: string }
  | { readonly type: PartBindingType; readonly name: string; readonly part: string };

/** Bindings of the service-worker format, where a module is a global of the script. */
export type PartBindingType = "wasm_module" | "text_blob" | "data_blob";

/** A binding that stays what it is in the script's current version. */
export interface InheritedBinding {
  readonly type: "inherit";
  readonly name: string;
  /** The binding's name in the current version, where that is another one. */
  readonly old_name?: string;
}

/** What an upload may ask for. */
export type RequestedBinding = Binding | InheritedBinding;

/** The binding as the API shows it: a secret without its value. */
export function shown(binding: Binding): Record<string, unknown> {
  if (binding.type !== "secret_text") return { ...binding };
  return { type: binding.type, name: binding.name };
}
