import { issueToken, readToken } from "../bindings/assets/upload-token.ts";
import { isTransactionControl, splitStatements } from "../bindings/d1/statements.ts";
import { sendToBucket } from "../bindings/r2/host.ts";
import type { StorageAddress } from "../bindings/storage.ts";
import { utf8 } from "../encoding.ts";
import { Refusal } from "../refusal.ts";
import type { Resource } from "../store/resources.ts";
import { type Call, jsonObjectBody, parameter } from "./call.ts";
import { success } from "./envelope.ts";
import { findResource, listResources, storageOf } from "./resources.ts";

/** Where imported and exported files are between two calls. No bucket of a Worker can have this name. */
const FILES: StorageAddress = { kind: "r2", id: "_d1-files" };
/** Separates the tokens of files from those of asset uploads. */
const TOKEN_PREFIX = "d1-file/";
/** The largest file that is imported, in bytes. It is read into memory. */
const MAX_IMPORT_BYTES = 64 * 1024 * 1024;

/** The databases: `?page&per_page&name`. */
export async function listDatabases(call: Call): Promise<Response> {
  return await listResources(call, "d1", shownDatabase);
}

/** Creates a database: `{name}`. */
export async function createDatabase(call: Call): Promise<Response> {
  const { name } = await jsonObjectBody(call);
  if (typeof name !== "string" || !/^[\w.-]{1,64}$/.test(name)) {
    throw new Refusal("BODY_INVALID", "`name` must have 1 to 64 letters, digits, dashes, underscores and dots.");
  }
  const created = await call.var.platform.store.createResource({ kind: "d1", id: crypto.randomUUID() }, name);
  if (created !== null) return success(shownDatabase(created));
  throw new Refusal("D1_NAME_TAKEN", `A database with the name ${name} already exists.`);
}

/** One database, by its id or its name. */
export async function getDatabase(call: Call): Promise<Response> {
  return success(shownDatabase(await databaseOf(call)));
}

/** Deletes a database with its tables. A Worker that is bound to it finds an empty database. */
export async function deleteDatabase(call: Call): Promise<Response> {
  const { id } = await databaseOf(call);
  const database = open(call, { kind: "d1", id });
  const { results } = await database
    .prepare("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'")
    .all<{ type: string; name: string }>();
  const drops = results.map(({ type, name }) => database.prepare(`DROP ${type} IF EXISTS "${name.replaceAll('"', '""')}"`));
  if (drops.length > 0) await database.batch([database.prepare("PRAGMA defer_foreign_keys = on"), ...drops]);
  await call.var.platform.store.removeResource({ kind: "d1", id });
  return success(null);
}

/** Runs statements in one transaction: `{sql, params?}`, with one result for each. */
export async function queryDatabase(call: Call): Promise<Response> {
  const address = await storageOf(call, "d1");
  const { sql, params } = await jsonObjectBody(call);
  const statements = typeof sql === "string" ? splitStatements(sql) : [];
  if (statements.length === 0) throw new Refusal("D1_QUERY_FAILED", "No SQL statements detected.");
  if (params !== undefined && (!Array.isArray(params) || statements.length !== 1)) {
    throw new Refusal("D1_QUERY_FAILED", "`params` must be a list, and works with one statement only.");
  }
  return success(await run(call, address, statements, (params as unknown[] | undefined) ?? []));
}

/** The import of a file in three steps: `init` returns where to upload it, `ingest` runs it in one transaction, and `poll` asks again. */
export async function importFile(call: Call): Promise<Response> {
  const address = await storageOf(call, "d1");
  const { action, filename, etag } = await jsonObjectBody(call);
  if (action === "init") {
    const file = crypto.randomUUID();
    return success({ filename: file, upload_url: await fileUrl(call, file) });
  }
  if (action !== "ingest") throw new Refusal("BODY_INVALID", 'The import is complete when "ingest" returns. There is nothing to poll.');
  const file = await files(call, { method: "get", object: String(filename) });
  if (!file.ok) throw new Refusal("D1_QUERY_FAILED", `There is no uploaded file ${JSON.stringify(filename)}. Begin the import again.`);
  const stored = JSON.parse(file.headers.get("cf-r2-metadata") ?? "{}") as { etag?: string };
  if (stored.etag !== etag) throw new Refusal("D1_QUERY_FAILED", "The uploaded file has another MD5. Begin the import again.");
  const statements = splitStatements(await file.text()).filter((statement) => !isTransactionControl(statement));
  await files(call, { method: "delete", object: String(filename) }, null);
  const results = statements.length === 0 ? [] : await run(call, address, statements, []);
  return success(imported(results));
}

/** Takes the file of an import. The token in the URL allows it. */
export async function uploadFile(call: Call): Promise<Response> {
  // The token is checked before the body is read: otherwise a client without a token fills the memory.
  const object = await fileOf(call);
  const size = Number(call.req.header("content-length") ?? Number.NaN);
  if (!(size <= MAX_IMPORT_BYTES)) {
    const given = Number.isNaN(size) ? "has no content-length" : `has ${size} bytes`;
    throw new Refusal("BODY_INVALID", `The file ${given}. The local platform imports at most ${MAX_IMPORT_BYTES} bytes: split it.`);
  }
  const stored = await files(call, { method: "put", object }, await call.req.raw.arrayBuffer());
  const { etag } = await stored.json<{ etag: string }>();
  return new Response(null, { headers: { etag: `"${etag}"` } });
}

/** The export of a database as SQL: `{output_format, dump_options}`. It is complete when the call returns. */
export async function exportFile(call: Call): Promise<Response> {
  const address = await storageOf(call, "d1");
  const { dump_options: given } = await jsonObjectBody(call);
  const { no_schema, no_data, tables } = (given ?? {}) as { no_schema?: boolean; no_data?: boolean; tables?: unknown };
  // The pragma by which miniflare exports a database for `wrangler d1 export --local`.
  const bound = [no_schema === true ? 1 : 0, no_data === true ? 1 : 0, ...(Array.isArray(tables) ? tables.map(String) : [])];
  const rows = await open(call, address).prepare("PRAGMA miniflare_d1_export(?,?,?);").bind(...bound).raw<string[]>();
  const file = crypto.randomUUID();
  await files(call, { method: "put", object: file }, utf8(`${rows.flat().join("\n")}\n`));
  const result = { filename: `${address.id}.sql`, signed_url: await fileUrl(call, file) };
  return success({ success: true, type: "export", at_bookmark: "local", messages: [], error: "", status: "complete", result });
}

/** Returns an exported file, once. The token in the URL allows it. */
export async function downloadFile(call: Call): Promise<Response> {
  const name = await fileOf(call);
  const file = await files(call, { method: "get", object: name });
  if (!file.ok) throw new Refusal("ROUTE_UNKNOWN", "The file was downloaded already. Export the database again.");
  const bytes = await file.arrayBuffer();
  await files(call, { method: "delete", object: name }, null);
  return new Response(bytes, { headers: { "content-type": "application/sql" } });
}

/** The database through the class of the runtime's own binding, as in the isolate of a user Worker. */
function open({ env, var: { platform } }: Call, address: StorageAddress): D1Database {
  const D1 = env.D1.constructor as new (host: Fetcher) => D1Database;
  return new D1(platform.entrypoint("StorageObject", address));
}

async function run(call: Call, address: StorageAddress, statements: readonly string[], params: readonly unknown[]): Promise<D1Result[]> {
  const database = open(call, address);
  try {
    return await database.batch(
      statements.map((statement) => (params.length > 0 ? database.prepare(statement).bind(...params) : database.prepare(statement))),
    );
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Refusal("D1_QUERY_FAILED", message.replace(/^D1_\w+: /, ""));
  }
}

function imported(results: readonly D1Result[]): Record<string, unknown> {
  const sum = (field: "duration" | "changes" | "rows_read" | "rows_written") =>
    results.reduce((total, { meta }) => total + meta[field], 0);
  const last = results.at(-1)?.meta;
  const meta = {
    served_by: last?.served_by ?? "miniflare.db",
    duration: sum("duration"),
    changes: sum("changes"),
    last_row_id: last?.last_row_id ?? 0,
    changed_db: results.some(({ meta }) => meta.changed_db),
    size_after: last?.size_after ?? 0,
    rows_read: sum("rows_read"),
    rows_written: sum("rows_written"),
  };
  const result = { final_bookmark: "local", num_queries: results.length, meta };
  return { success: true, type: "import", at_bookmark: "local", messages: [], errors: [], status: "complete", result };
}

async function files(call: Call, request: Record<string, unknown>, body?: ArrayBuffer | null): Promise<Response> {
  const value = body === undefined ? undefined : { body, size: body?.byteLength ?? 0 };
  return await sendToBucket({ environment: call.env, address: FILES }, request, value);
}

async function fileUrl(call: Call, file: string): Promise<string> {
  const token = await issueToken(call.env.LOCAL_API_TOKEN ?? "", `${TOKEN_PREFIX}${file}`, "upload", Date.now());
  return new URL(`/client/v4/local/d1-files/${token}`, call.req.url).href;
}

async function fileOf(call: Call): Promise<string> {
  const secret = call.env.LOCAL_API_TOKEN ?? "";
  const id = secret === "" ? null : await readToken(secret, parameter(call, "token"), "upload", Date.now());
  if (id?.startsWith(TOKEN_PREFIX)) return id.slice(TOKEN_PREFIX.length);
  throw new Refusal("TOKEN_INVALID", "The URL of this file is not valid, or not any more. Begin the import or the export again.");
}

async function databaseOf(call: Call): Promise<Resource> {
  const id = parameter(call, "id");
  const found = await findResource(call, "d1", id);
  if (found !== null) return found;
  throw new Refusal("D1_NOT_FOUND", `The database ${id} could not be found.`);
}

function shownDatabase({ id, name, createdOn }: Resource): Record<string, unknown> {
  return { uuid: id, name, created_at: createdOn, version: "production", num_tables: 0, file_size: 0 };
}
