import { readMetadata } from "../deploy/metadata.ts";
import { release, replaceModules } from "../deploy/release.ts";
import { readTagFilter } from "../deploy/tags.ts";
import { readUploadForm } from "../deploy/upload-form.ts";
import { recordLiveVersion } from "../isolate/isolate-pool.ts";
import { readModules } from "../isolate/isolates.ts";
import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import { type MainModule, type ScriptAddress, type StoredScript, scriptNotFound } from "../script.ts";
import { type Call, addressOf, namespaceOf, scriptOf } from "./call.ts";
import { success } from "./envelope.ts";

const MAX_PAGE = 1000;

/** The scripts of a namespace by name: `?tags=a:yes,b:no&limit&cursor`. */
export async function listScripts(call: Call): Promise<Response> {
  const namespace = namespaceOf(call);
  const filter = readTagFilter(call.req.query("tags") ?? null);
  const limit = readLimit(call.req.query("limit") ?? null);
  const after = readCursor(call.req.query("cursor") ?? null);
  const scripts = (await call.var.platform.store.scripts(namespace, after)).filter(({ version }) => filter(version.tags));
  const page = scripts.slice(0, limit);
  const last = page.at(-1);
  const cursor = last && scripts.length > limit ? { cursor: btoa(last.script) } : {};
  return success(page.map(shownScript), { info: { count: page.length, per_page: limit, ...cursor } });
}

/** Deletes every script that the tags select. Without tags it deletes nothing. */
export async function deleteScripts(call: Call): Promise<Response> {
  const namespace = namespaceOf(call);
  const tags = call.req.query("tags");
  if (!tags) throw new Refusal("TAGS_INVALID", "Which scripts to delete must be said by tags: `?tags=customer-1:yes`.");
  const filter = readTagFilter(tags);
  const selected = (await call.var.platform.store.scripts(namespace, "")).filter(({ version }) => filter(version.tags));
  for (const script of selected) await removeScript(call.var.platform, script);
  return success(null);
}

/** One script with its metadata. */
export async function getScript(call: Call): Promise<Response> {
  const script = await scriptOf(call);
  return success({
    dispatch_namespace: script.namespace,
    created_on: script.createdOn,
    modified_on: script.modifiedOn,
    script: shownScript(script),
  });
}

/** Deploys a script. When it responds, the script is live and on disk. */
export async function putScript(call: Call): Promise<Response> {
  const address = addressOf(call);
  const { document, modules } = await readUploadForm(call.req.raw, "metadata");
  const { version, startupMs, handlers } = await release(call.var.platform, address, readMetadata(document), modules);
  const stored = await call.var.platform.store.script(address);
  return success({
    ...(stored === null ? { id: address.script, etag: version.etag } : shownScript({ ...stored, version })),
    deployment_id: version.id,
    startup_time_ms: startupMs,
    handlers,
  });
}

/** Deletes a script. */
export async function deleteScript(call: Call): Promise<Response> {
  const address = addressOf(call);
  if (await removeScript(call.var.platform, address)) return success(null);
  throw scriptNotFound(address);
}

/** Removes a script. Returns `false` if there was none. */
export async function removeScript({ store }: Platform, address: ScriptAddress): Promise<boolean> {
  const isRemoved = await store.remove(address);
  if (isRemoved) recordLiveVersion(address, null);
  return isRemoved;
}

/** The script as lists return it. */
export function shownScript({ script, createdOn, modifiedOn, version }: StoredScript): Record<string, unknown> {
  return {
    id: script,
    etag: version.etag,
    tags: version.tags,
    created_on: createdOn,
    modified_on: modifiedOn,
    compatibility_date: version.compatibilityDate,
    compatibility_flags: version.compatibilityFlags,
    has_assets: version.assets !== null,
    has_modules: version.main?.format === "modules",
    last_deployed_from: "api",
    logpush: version.settings["logpush"] ?? false,
    usage_model: "standard",
    deployment_id: version.id,
    ...(version.handlers === undefined ? {} : { handlers: version.handlers }),
    ...(version.migrationTag === null ? {} : { migration_tag: version.migrationTag }),
  };
}

function readLimit(text: string | null): number {
  if (text === null) return MAX_PAGE;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_PAGE) return limit;
  throw new Refusal(
    "BODY_INVALID",
    `\`limit\` must be a number from 1 to ${MAX_PAGE}, and it is ${JSON.stringify(text)}.`,
  );
}

function readCursor(text: string | null): string {
  if (text === null) return "";
  try {
    return atob(text);
  } catch {
    throw new Refusal("BODY_INVALID", "`cursor` must be one that an earlier page gave.");
  }
}

/** The uploaded modules as a form; a script in the service-worker format as plain text. */
export async function getContent(call: Call): Promise<Response> {
  const { version } = await scriptOf(call);
  const modules = await readModules(call.var.platform, version);
  const main = modules.find(({ name }) => name === version.main?.module);
  const headers = new Headers({ etag: `"${version.etag}"`, "cache-control": "no-store" });
  if (version.main?.format === "service-worker" && main) {
    headers.set("content-type", "application/javascript");
    return new Response(main.bytes, { headers });
  }
  const form = new FormData();
  for (const { name, contentType, bytes } of modules)
    form.append(name, new File([bytes], name, { type: contentType }), name);
  if (version.main) headers.set("cf-entrypoint", version.main.module);
  return new Response(form, { headers });
}

/** Replaces the modules and changes nothing else. */
export async function putContent(call: Call): Promise<Response> {
  const script = await scriptOf(call);
  const { document, modules } = await readUploadForm(call.req.raw, "metadata");
  const main = mainFromHeaders(call.req.raw.headers) ?? readMetadata(document).main;
  if (main === null)
    throw new Refusal(
      "SCRIPT_INVALID",
      "Name the main module, by `main_module` in the metadata or the header CF-WORKER-MAIN-MODULE-PART.",
    );
  const { version } = await replaceModules(call.var.platform, script, main, modules);
  return success({ id: script.script, etag: version.etag, deployment_id: version.id, modified_on: version.uploadedOn });
}

function mainFromHeaders(headers: Headers): MainModule | null {
  const module = headers.get("cf-worker-main-module-part");
  if (module !== null) return { format: "modules", module };
  const body = headers.get("cf-worker-body-part");
  return body === null ? null : { format: "service-worker", module: body };
}
