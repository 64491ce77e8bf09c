import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import { checkScriptName } from "../deploy/script-name.ts";
import { scriptNotFound } from "../deploy/script-not-found.ts";
import type { ScriptAddress, StoredScript } from "../script.ts";

/** A call of the REST API. */
export interface Call {
  readonly platform: Platform;
  readonly request: Request;
  readonly query: URLSearchParams;
  /** The named parts of the path, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** A named part of the path. */
export function parameter({ parameters }: Call, name: string): string {
  return parameters[name] ?? "";
}

/** The namespace in the path. Refuses one that does not exist. */
export function namespaceOf(call: Call): string {
  const name = parameter(call, "namespace");
  if (call.platform.environment.NAMESPACES.some((namespace) => namespace.name === name)) return name;
  const names = call.platform.environment.NAMESPACES.map((namespace) => namespace.name).join(", ");
  throw new Refusal(
    "NAMESPACE_NOT_FOUND",
    `There is no dispatch namespace ${JSON.stringify(name)} on the local platform. There are ${names}.`,
  );
}

/** The script in the path, whether it exists or not. */
export function addressOf(call: Call): ScriptAddress {
  const namespace = namespaceOf(call);
  const script = parameter(call, "script");
  checkScriptName(script);
  return { namespace, script };
}

/** The script in the path. Refuses one that does not exist. */
export async function scriptOf(call: Call): Promise<StoredScript> {
  const address = addressOf(call);
  const script = await call.platform.store.script(address);
  if (script !== null) return script;
  throw scriptNotFound(address);
}

/** The body as JSON. */
export async function jsonBody({ request }: Call): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    throw new Refusal("BODY_INVALID", "The body is not JSON.");
  }
}

/** The body as a JSON object. */
export async function jsonObjectBody(call: Call): Promise<Record<string, unknown>> {
  const body = await jsonBody(call);
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new Refusal("BODY_INVALID", "The body must be a JSON object.");
}
