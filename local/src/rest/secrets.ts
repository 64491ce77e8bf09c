import type { Binding } from "../bindings/binding.ts";
import { readBinding } from "../bindings/kinds.ts";
import { changeExisting } from "../deploy/script-change.ts";
import { Refusal } from "../refusal.ts";
import type { ScriptVersion } from "../script.ts";
import { type Call, jsonObjectBody, parameter, scriptOf } from "./call.ts";
import { success } from "./envelope.ts";

type Secret = Binding & { type: "secret_text" };

/** The names of a script's secrets. */
export async function listSecrets(call: Call): Promise<Response> {
  const { version } = await scriptOf(call);
  return success(version.bindings.filter(isSecret).map(shown));
}

/** The name of one secret. The value is never returned. */
export async function getSecret(call: Call): Promise<Response> {
  const { version } = await scriptOf(call);
  const name = parameter(call, "secret");
  const secret = version.bindings.filter(isSecret).find((binding) => binding.name === name);
  if (secret) return success(shown(secret));
  throw secretNotFound(name);
}

/** Sets one secret. It is live when the call responds. */
export async function putSecret(call: Call): Promise<Response> {
  const script = await scriptOf(call);
  const secret = readSecret(await jsonObjectBody(call));
  await changeExisting(call.var.platform, script, async ({ version }) =>
    withSecrets(version, new Map([[secret.name, secret]])),
  );
  return success(shown(secret));
}

/** Deletes one secret. */
export async function deleteSecret(call: Call): Promise<Response> {
  const name = parameter(call, "secret");
  const script = await scriptOf(call);
  await changeExisting(call.var.platform, script, async ({ version }) => {
    if (!version.bindings.some((binding) => isSecret(binding) && binding.name === name)) throw secretNotFound(name);
    return withSecrets(version, new Map([[name, null]]));
  });
  return success(null);
}

/** Sets and deletes several secrets at once: `{secrets: {NAME: {type, name, text} | null}}`. */
export async function changeSecrets(call: Call): Promise<Response> {
  const { secrets } = await jsonObjectBody(call);
  if (typeof secrets !== "object" || secrets === null || Array.isArray(secrets)) {
    throw new Refusal("BODY_INVALID", "`secrets` must be an object that maps names to secrets, or to null.");
  }
  const changes = new Map(
    Object.entries(secrets as Record<string, unknown>).map(([name, value]): [string, Secret | null] => [
      name,
      value === null ? null : readSecret({ ...(value as Record<string, unknown>), name }),
    ]),
  );
  const script = await scriptOf(call);
  const version = await changeExisting(call.var.platform, script, async (current) => withSecrets(current.version, changes));
  return success({
    secrets: Object.fromEntries(version.bindings.filter(isSecret).map((secret) => [secret.name, shown(secret)])),
  });
}

function withSecrets(version: ScriptVersion, changes: ReadonlyMap<string, Secret | null>): ScriptVersion {
  const taken = version.bindings.find((binding) => changes.has(binding.name) && !isSecret(binding));
  if (taken) {
    throw new Refusal(
      "BINDING_INVALID",
      `Binding name '${taken.name}' already in use. It is a ${taken.type}: rename one of the two.`,
    );
  }
  const kept = version.bindings.filter((binding) => !changes.has(binding.name));
  const set = [...changes.values()].filter((secret) => secret !== null);
  return { ...version, id: crypto.randomUUID(), bindings: [...kept, ...set] };
}

function readSecret(fields: Record<string, unknown>): Secret {
  const binding = readBinding({ type: "secret_text", ...fields });
  if (binding.type === "secret_text") return binding;
  throw new Refusal(
    "BINDING_INVALID",
    `A secret has the type secret_text, and ${binding.name} has the type ${binding.type}.`,
  );
}

function isSecret(binding: Binding): binding is Secret {
  return binding.type === "secret_text";
}

function shown({ name, type }: Secret): Record<string, unknown> {
  return { name, type };
}

function secretNotFound(name: string): Refusal {
  return new Refusal("SECRET_NOT_FOUND", `Secret ${JSON.stringify(name)} not found.`);
}
