import { readMetadata } from "../deploy/metadata.ts";
import { release } from "../deploy/release.ts";
import { scriptNotFound } from "../deploy/script-not-found.ts";
import { readUploadForm } from "../deploy/upload-form.ts";
import { Refusal } from "../refusal.ts";
import type { StoredScript } from "../script.ts";
import { addressOf, namespaceOf, scriptOf, type Call } from "./call.ts";
import { success } from "./envelope.ts";
import { readTagFilter } from "./tag-filter.ts";

const MAX_PAGE = 1000;

/** The scripts of a namespace by name: `?tags=a:yes,b:no&limit&cursor`. */
export async function listScripts(call: Call): Promise<Response> {
  const namespace = namespaceOf(call);
  const filter = readTagFilter(call.query.get("tags"));
  const limit = readLimit(call.query.get("limit"));
  const after = readCursor(call.query.get("cursor"));
  const scripts = (await call.platform.store.scripts(namespace, after)).filter(({ version }) => filter(version.tags));
  const page = scripts.slice(0, limit);
  const last = page.at(-1);
  const cursor = last && scripts.length > limit ? { cursor: btoa(last.script) } : {};
  return success(page.map(shownScript), { info: { count: page.length, per_page: limit, ...cursor } });
}

/** Deletes every script that the tags select. Without tags it deletes nothing. */
export async function deleteScripts(call: Call): Promise<Response> {
  const namespace = namespaceOf(call);
  const tags = call.query.get("tags");
  if (!tags) throw new Refusal("TAGS_INVALID", "Which scripts to delete must be said by tags: `?tags=customer-1:yes`.");
  const filter = readTagFilter(tags);
  const selected = (await call.platform.store.scripts(namespace, "")).filter(({ version }) => filter(version.tags));
  for (const script of selected) await call.platform.store.remove(script);
  return success(null);
}

/** One script, and what is known of it. */
export async function getScript(call: Call): Promise<Response> {
  const script = await scriptOf(call);
  return success({
    dispatch_namespace: script.namespace,
    created_on: script.createdOn,
    modified_on: script.modifiedOn,
    script: shownScript(script),
  });
}

/** Deploys a script. It is live, and on disk, when the answer comes. */
export async function putScript(call: Call): Promise<Response> {
  const address = addressOf(call);
  const { document, modules } = await readUploadForm(call.request, "metadata");
  const { version, startupMs, handlers } = await release(call.platform, address, readMetadata(document), modules);
  const stored = await call.platform.store.script(address);
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
  if (await call.platform.store.remove(address)) return success(null);
  throw scriptNotFound(address);
}

/** The script as lists show it. */
function shownScript({ script, createdOn, modifiedOn, version }: StoredScript): Record<string, unknown> {
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
