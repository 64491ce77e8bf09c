import { secretStores, type StoredSecret, type StoredStore } from "../bindings/secrets-store/stores.ts";
import { Refusal } from "../refusal.ts";
import { jsonBody, jsonObjectBody, parameter, type Call } from "./call.ts";
import { success } from "./envelope.ts";

/** Cloudflare's limit for the value of a secret, in bytes. */
const MAX_VALUE_BYTES = 1024;

/** The stores of the account. wrangler asks for pages until one is empty, so only the first has stores. */
export async function listStores(call: Call): Promise<Response> {
  const stores = isFirstPage(call) ? await secretStores(call.env).stores() : [];
  return success(stores.map((store) => shownStore(call, store)));
}

/** Creates a store: `{name}`. */
export async function createStore(call: Call): Promise<Response> {
  const { name } = await jsonObjectBody(call);
  if (typeof name !== "string" || name === "") throw new Refusal("BODY_INVALID", "`name` must be the name of the new store.");
  return success(shownStore(call, await secretStores(call.env).createStore(name)));
}

/** Deletes a store with its secrets. */
export async function deleteStore(call: Call): Promise<Response> {
  if (await secretStores(call.env).deleteStore(parameter(call, "store"))) return success(null);
  throw new Refusal("SECRET_NOT_FOUND", `There is no Secrets Store ${JSON.stringify(parameter(call, "store"))}.`);
}

/** The secrets of a store, without their values. */
export async function listSecrets(call: Call): Promise<Response> {
  const secrets = isFirstPage(call) ? await secretStores(call.env).secrets(parameter(call, "store")) : [];
  const search = call.req.query("search") ?? "";
  return success(secrets.filter(({ name }) => name.includes(search)).map(shownSecret));
}

/** One secret, without its value. */
export async function getSecret(call: Call): Promise<Response> {
  const id = parameter(call, "secret");
  const secret = (await secretStores(call.env).secrets(parameter(call, "store"))).find((found) => found.id === id);
  if (secret !== undefined) return success(shownSecret(secret));
  throw notFound(id);
}

/** Creates secrets: `[{name, value, scopes, comment}]`. */
export async function createSecrets(call: Call): Promise<Response> {
  const body = await jsonBody(call);
  if (!Array.isArray(body)) throw new Refusal("BODY_INVALID", "The body must be a list of secrets.");
  const secrets = body.map((fields) => readSecret((fields ?? {}) as Record<string, unknown>));
  const created: StoredSecret[] = [];
  for (const { name, value, comment, scopes } of secrets) {
    if (name === null || value === null) throw new Refusal("BODY_INVALID", "Each secret needs a `name` and a `value`.");
    const secret = await secretStores(call.env).createSecret(parameter(call, "store"), name, value, comment ?? "", scopes ?? []);
    if (secret === null) {
      throw new Refusal("BINDING_INVALID", `The store has a secret ${name} already. Update it, or choose another name.`);
    }
    created.push(secret);
  }
  return success(created.map(shownSecret));
}

/** Changes the value, the comment or the scopes of a secret. */
export async function updateSecret(call: Call): Promise<Response> {
  const { value, comment, scopes } = readSecret(await jsonObjectBody(call));
  const id = parameter(call, "secret");
  const changed = await secretStores(call.env).changeSecret(id, value, comment, scopes);
  if (changed !== null) return success(shownSecret(changed));
  throw notFound(id);
}

/** Deletes a secret. */
export async function deleteSecret(call: Call): Promise<Response> {
  const id = parameter(call, "secret");
  if (await secretStores(call.env).deleteSecret(id)) return success(null);
  throw notFound(id);
}

function readSecret(fields: Readonly<Record<string, unknown>>) {
  const text = (field: string): string | null => (typeof fields[field] === "string" ? (fields[field] as string) : null);
  const value = text("value");
  if (value !== null && new TextEncoder().encode(value).byteLength > MAX_VALUE_BYTES) {
    throw new Refusal("BODY_INVALID", `The value of a secret has at most ${MAX_VALUE_BYTES} bytes.`);
  }
  const scopes = Array.isArray(fields["scopes"]) ? fields["scopes"].map(String) : null;
  return { name: text("name"), value, comment: text("comment"), scopes };
}

function isFirstPage(call: Call): boolean {
  return Number(call.req.query("page") ?? 1) <= 1;
}

function shownStore(call: Call, { id, name, created }: StoredStore): Record<string, unknown> {
  return { id, name, account_id: call.env.ACCOUNT_ID, created, modified: created };
}

function shownSecret({ scopes, ...secret }: StoredSecret): Record<string, unknown> {
  return { ...secret, scopes: JSON.parse(scopes) as unknown, status: "active" };
}

function notFound(id: string): Refusal {
  return new Refusal("SECRET_NOT_FOUND", `The store has no secret with the id ${JSON.stringify(id)}.`);
}
