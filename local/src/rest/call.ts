import type { Context } from "hono";
import type { Environment } from "../environment.ts";
import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import { accountAddress, checkScriptName, scriptNotFound, type ScriptAddress, type StoredScript } from "../script.ts";

/** The types of hono's context. */
export interface CallTypes {
  Bindings: Environment;
  Variables: { platform: Platform };
}

/** A call of the REST API. */
export type Call = Context<CallTypes>;

/** A named part of the path, decoded. */
export function parameter(call: Call, name: string): string {
  return call.req.param(name) ?? "";
}

/** The namespace in the path. Refuses one that the configuration does not name. */
export function namespaceOf(call: Call): string {
  const name = parameter(call, "namespace");
  checkNamespace(call.env, name);
  return name;
}

/** Refuses a namespace that does not exist. */
export function checkNamespace({ NAMESPACES }: Environment, name: string): void {
  const namespaces = NAMESPACES.map((namespace) => namespace.name);
  if (namespaces.includes(name)) return;
  throw new Refusal(
    "NAMESPACE_NOT_FOUND",
    `The local platform has no dispatch namespace ${JSON.stringify(name)}. It has ${namespaces.join(", ")}.`,
  );
}

/** The script in the path, whether it exists or not. A path without a namespace names an account Worker. */
export function addressOf(call: Call): ScriptAddress {
  const script = parameter(call, "script");
  checkScriptName(script);
  return call.req.param("namespace") === undefined ? accountAddress(script) : { namespace: namespaceOf(call), script };
}

/** The script in the path. Refuses one that does not exist. */
export async function scriptOf(call: Call): Promise<StoredScript> {
  const address = addressOf(call);
  const script = await call.var.platform.store.script(address);
  if (script !== null) return script;
  throw scriptNotFound(address);
}

/** The body as JSON. */
export async function jsonBody(call: Call): Promise<unknown> {
  try {
    return await call.req.raw.json();
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
