import { Refusal } from "../refusal.ts";
import type { Binding } from "./binding.ts";
import type { BindingFields, BindingKind } from "./kind.ts";

/** Cloudflare's limit for the value of a variable or secret: 5 KB. */
const MAX_VALUE_BYTES = 5 * 1024;

type Kind<T extends Binding["type"]> = BindingKind<Extract<Binding, { type: T }>>;

/** A variable with a text. */
export const plainText: Kind<"plain_text"> = {
  read: (fields) => ({ type: "plain_text", name: fields.name, text: limitedText(fields) }),
  value: ({ text }) => text,
};

/** A secret. It is stored unencrypted on this machine. */
export const secretText: Kind<"secret_text"> = {
  read: (fields) => ({ type: "secret_text", name: fields.name, text: limitedText(fields) }),
  value: ({ text }) => text,
};

/** A variable with a JSON value. */
export const json: Kind<"json"> = {
  read(fields) {
    const value = fields.value("json");
    if (value === undefined) {
      throw new Refusal("BINDING_INVALID", `The binding ${fields.name} of type json needs a \`json\` value.`);
    }
    checkLimit(fields.name, JSON.stringify(value));
    return { type: "json", name: fields.name, json: value };
  },
  value: (binding) => binding.json,
};

/** The id, the tag and the time of the version itself. */
export const versionMetadata: Kind<"version_metadata"> = {
  read: ({ name }) => ({ type: "version_metadata", name }),
  value: (_binding, { version }) => ({
    id: version.id,
    tag: version.annotations["workers/tag"] ?? "",
    timestamp: version.uploadedOn,
  }),
};

/** A part of the upload as a global of a script in the service-worker format. `isolate/worker-code.ts` defines the global. */
export function part<T extends "wasm_module" | "text_blob" | "data_blob">(type: T): BindingKind<Binding & { type: T }> {
  return { read: (fields) => ({ type, name: fields.name, part: fields.text("part") }) as Binding & { type: T } };
}

function limitedText(fields: BindingFields): string {
  const text = fields.text("text");
  checkLimit(fields.name, text);
  return text;
}

function checkLimit(name: string, value: string): void {
  const size = new TextEncoder().encode(value).byteLength;
  if (size <= MAX_VALUE_BYTES) return;
  throw new Refusal(
    "BINDING_INVALID",
    `The value of ${name} is ${size} bytes long; the platform allows ${MAX_VALUE_BYTES}. Store it in a module or a static asset.`,
  );
}
