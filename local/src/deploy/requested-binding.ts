import { Refusal } from "../refusal.ts";
import type { RequestedBinding } from "./binding.ts";

/** Cloudflare's limit for the value of a variable or secret: 5 KB. */
const MAX_VALUE_BYTES = 5 * 1024;

/** What to do instead, where there is something better to say than in general. */
const INSTEAD: Readonly<Record<string, string>> = {
  service:
    "A service binding reaches Workers of the account, never scripts of a namespace. Call the other Worker by its hostname, with fetch.",
  kv_namespace: "Keep small data in a Durable Object of this Worker, or give the data as a `json` variable.",
  r2_bucket: "Give files as static assets, or keep data in a Durable Object of this Worker.",
  d1: "Use the SQLite storage of a Durable Object of this Worker.",
};

const GENERAL_ADVICE =
  "Remove it from the Worker's configuration for local use, for example in an environment of its own, or deploy to a remote namespace.";

/** Reads one element of `bindings`. Refuses what is malformed, and what the local platform does not simulate. */
export function readBinding(value: unknown): RequestedBinding {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal("BINDING_INVALID", `bindings: each must be an object, and one is ${JSON.stringify(value)}.`);
  }
  const fields = value as Record<string, unknown>;
  const { name, type } = fields;
  if (typeof name !== "string" || name === "") {
    throw new Refusal("BINDING_INVALID", `A binding of type ${JSON.stringify(type)} has no \`name\`.`);
  }
  const text = (field: string): string => {
    const found = fields[field];
    if (typeof found === "string") return found;
    throw new Refusal("BINDING_INVALID", `The binding ${name} of type ${String(type)} needs a string \`${field}\`.`);
  };
  switch (type) {
    case "plain_text":
    case "secret_text":
      return { type, name, text: withinLimit(name, text("text")) };
    case "json":
      if (fields["json"] === undefined) {
        throw new Refusal("BINDING_INVALID", `The binding ${name} of type json needs a \`json\` value.`);
      }
      withinLimit(name, JSON.stringify(fields["json"]));
      return { type, name, json: fields["json"] };
    case "assets":
    case "version_metadata":
      return { type, name };
    case "wasm_module":
    case "text_blob":
    case "data_blob":
      return { type, name, part: text("part") };
    case "durable_object_namespace":
      return readObjectBinding(name, fields, text);
    case "inherit":
      return typeof fields["old_name"] === "string" ? { type, name, old_name: fields["old_name"] } : { type, name };
    default:
      throw new Refusal(
        "NOT_SIMULATED",
        `The binding ${name} of type ${JSON.stringify(type)} is not simulated by the local platform. ` +
          ((typeof type === "string" ? INSTEAD[type] : undefined) ?? GENERAL_ADVICE),
      );
  }
}

function readObjectBinding(
  name: string,
  fields: Record<string, unknown>,
  text: (field: string) => string,
): RequestedBinding {
  const elsewhere = fields["script_name"] ?? fields["namespace_id"] ?? fields["environment"];
  if (elsewhere !== undefined && fields["class_name"] === undefined) {
    throw new Refusal(
      "NOT_SIMULATED",
      `The binding ${name} names a Durable Object namespace that is not its own script's. The local platform simulates ` +
        "only the Durable Objects that a Worker defines itself: bind to a class of this Worker by `class_name`.",
    );
  }
  if (fields["script_name"] !== undefined) {
    throw new Refusal(
      "NOT_SIMULATED",
      `The binding ${name} reaches a Durable Object of the script ${JSON.stringify(fields["script_name"])}. The local ` +
        "platform simulates only the Durable Objects that a Worker defines itself: leave `script_name` away.",
    );
  }
  return { type: "durable_object_namespace", name, class_name: text("class_name") };
}

function withinLimit(name: string, value: string): string {
  const size = new TextEncoder().encode(value).byteLength;
  if (size <= MAX_VALUE_BYTES) return value;
  throw new Refusal(
    "BINDING_INVALID",
    `The value of ${name} is ${size} bytes long; the platform allows ${MAX_VALUE_BYTES}. Put it into a module or a static asset.`,
  );
}
