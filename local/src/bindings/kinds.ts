import { Refusal } from "../refusal.ts";
import { analyticsEngine } from "./analytics-engine/kind.ts";
import { assets } from "./assets/kind.ts";
import type { Binding, RequestedBinding } from "./binding.ts";
import { d1 } from "./d1/kind.ts";
import { dispatchNamespace } from "./dispatch-namespace/kind.ts";
import { durableObjectNamespace } from "./durable-objects/kind.ts";
import { sendEmail } from "./email/kind.ts";
import { BindingFields, type BindingKind, type BoundWorker } from "./kind.ts";
import { kvNamespace } from "./kv/kind.ts";
import { notSimulated } from "./not-simulated.ts";
import { pipelines } from "./pipelines/kind.ts";
import { queue } from "./queues/kind.ts";
import { rateLimit } from "./rate-limit/kind.ts";
import { secretsStoreSecret } from "./secrets-store/kind.ts";
import { service } from "./service/kind.ts";
import { r2Bucket } from "./r2/kind.ts";
import { json, part, plainText, secretText, versionMetadata } from "./variables.ts";

/** Every kind of binding that the local platform simulates, by its type in an upload. */
const KINDS: { readonly [T in Binding["type"]]: BindingKind<Extract<Binding, { type: T }>> } = {
  analytics_engine: analyticsEngine,
  assets,
  d1,
  data_blob: part("data_blob"),
  dispatch_namespace: dispatchNamespace,
  durable_object_namespace: durableObjectNamespace,
  json,
  kv_namespace: kvNamespace,
  pipelines,
  plain_text: plainText,
  queue,
  ratelimit: rateLimit,
  r2_bucket: r2Bucket,
  secret_text: secretText,
  secrets_store_secret: secretsStoreSecret,
  send_email: sendEmail,
  service,
  text_blob: part("text_blob"),
  version_metadata: versionMetadata,
  wasm_module: part("wasm_module"),
};

/** Reads one element of `bindings`. Refuses what is malformed, and what the local platform does not simulate. */
export function readBinding(value: unknown): RequestedBinding {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal("BINDING_INVALID", `bindings: each must be an object, and one is ${JSON.stringify(value)}.`);
  }
  const { name, type, ...fields } = value as Record<string, unknown>;
  if (typeof name !== "string" || name === "") {
    throw new Refusal("BINDING_INVALID", `A binding of type ${JSON.stringify(type)} has no \`name\`.`);
  }
  if (type === "inherit") {
    const { old_name } = fields;
    return typeof old_name === "string" ? { type, name, old_name } : { type, name };
  }
  if (isSimulated(type)) return KINDS[type].read(new BindingFields(name, type, fields));
  throw notSimulated(name, type);
}

/** The bindings of a version as the `env` of its isolate has them before the modules of {@link bindingSetups} run. */
export function bindingValues(worker: BoundWorker): Record<string, unknown> {
  const env: Record<string, unknown> = {};
  for (const binding of worker.version.bindings) {
    const value = kindOf(binding).value?.(binding, worker);
    if (value !== undefined) env[binding.name] = value;
  }
  return env;
}

/** A module that defines the objects of one kind, and the names of the bindings of this kind. */
export interface BindingSetup {
  readonly type: string;
  /** The text of the module, see {@link BindingKind.setup}. */
  readonly source: string;
  /** The modules that it imports, see {@link BindingKind.imports}. */
  readonly imports: Readonly<Record<string, string>>;
  readonly names: readonly string[];
}

/** The modules that an isolate with these bindings needs. */
export function bindingSetups(bindings: readonly Binding[]): BindingSetup[] {
  const setups = new Map<string, BindingSetup & { names: string[] }>();
  for (const binding of bindings) {
    const { type, name } = binding;
    const { setup: source, imports = {} } = kindOf(binding);
    if (source === undefined) continue;
    const setup = setups.get(type) ?? { type, source, imports, names: [] };
    setup.names.push(name);
    setups.set(type, setup);
  }
  return [...setups.values()];
}

function isSimulated(type: unknown): type is Binding["type"] {
  return typeof type === "string" && Object.hasOwn(KINDS, type);
}

/** The kind of a binding. The type system does not relate the two members of the table, so this relates them. */
function kindOf(binding: Binding): BindingKind<Binding> {
  return KINDS[binding.type] as unknown as BindingKind<Binding>;
}
