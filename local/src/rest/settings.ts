import { type Binding, mergedBindings, shown } from "../bindings/binding.ts";
import { readBindings, recordedSettings, string, strings } from "../deploy/metadata.ts";
import { applyDeclaredClasses, applyMigrations } from "../deploy/migrations.ts";
import { changeExisting } from "../deploy/script-change.ts";
import { checkStart } from "../deploy/start-check.ts";
import { readTags } from "../deploy/tags.ts";
import { readUploadForm } from "../deploy/upload-form.ts";
import { readModules } from "../isolate/isolates.ts";
import type { ScriptVersion } from "../script.ts";
import { type Call, jsonBody, jsonObjectBody, parameter, scriptOf } from "./call.ts";
import { success } from "./envelope.ts";

/** The settings of a script: everything except its code. */
export async function getSettings(call: Call): Promise<Response> {
  const { version } = await scriptOf(call);
  return success(shownSettings(version));
}

/** The bindings of a script, secrets without their values. */
export async function listBindings(call: Call): Promise<Response> {
  const { version } = await scriptOf(call);
  return success(version.bindings.map(shown));
}

/** Changes the settings that the call names. Before they are live, the script is started once with them. */
export async function patchSettings(call: Call): Promise<Response> {
  const script = await scriptOf(call);
  const isForm = /^multipart\//i.test(call.req.raw.headers.get("content-type") ?? "");
  const settings = isForm ? (await readUploadForm(call.req.raw, "settings")).document : await jsonObjectBody(call);
  const version = await changeExisting(call.var.platform, script, async (current) => {
    const next = withSettings(current.version, settings);
    const checked = await checkStart(call.var.platform, script, next, await readModules(call.var.platform, next));
    return checked.version;
  });
  return success(shownSettings(version));
}

function withSettings(version: ScriptVersion, settings: Readonly<Record<string, unknown>>): ScriptVersion {
  const before = { tag: version.migrationTag, classes: version.objectClasses };
  const after = applyDeclaredClasses(applyMigrations(before, settings["migrations"]), settings["exports"]);
  const flags = settings["compatibility_flags"];
  const compatibilityDate = string(settings, "compatibility_date") ?? version.compatibilityDate;
  return {
    ...version,
    id: crypto.randomUUID(),
    bindings:
      settings["bindings"] === undefined
        ? version.bindings
        : mergedBindings(readBindings(withInherited(settings["bindings"], version.bindings)), version.bindings, strings(settings, "keep_bindings")),
    compatibilityDate,
    runtimeDate: compatibilityDate,
    compatibilityFlags: flags === undefined ? version.compatibilityFlags : strings(settings, "compatibility_flags"),
    migrationTag: after.tag,
    objectClasses: after.classes,
    tags: settings["tags"] === undefined ? version.tags : readTags(settings["tags"]),
    settings: { ...version.settings, ...recordedSettings(settings) },
  };
}

/** `wrangler secret bulk` before 4.152 sends each binding of the script that stays with its name and type only. */
function withInherited(bindings: unknown, current: readonly Binding[]): unknown {
  if (!Array.isArray(bindings)) return bindings;
  return bindings.map((binding: unknown) => {
    const { name, type, ...fields } = (binding ?? {}) as Record<string, unknown>;
    const stays = Object.keys(fields).length === 0 && current.some((other) => other.name === name && other.type === type);
    return stays ? { name, type: "inherit" } : binding;
  });
}

function shownSettings(version: ScriptVersion): Record<string, unknown> {
  return {
    usage_model: "standard",
    logpush: false,
    tail_consumers: [],
    ...version.settings,
    bindings: version.bindings.map(shown),
    compatibility_date: version.compatibilityDate,
    compatibility_flags: version.compatibilityFlags,
    tags: version.tags,
    annotations: version.annotations,
    ...(version.migrationTag === null ? {} : { migration_tag: version.migrationTag }),
  };
}

/** The tags of a script. */
export async function listTags(call: Call): Promise<Response> {
  const { version } = await scriptOf(call);
  return success(version.tags);
}

/** Replaces the tags. */
export async function putTags(call: Call): Promise<Response> {
  const tags = readTags(await jsonBody(call));
  await changeTags(call, () => tags);
  return success(tags);
}

/** Adds a tag. */
export async function putTag(call: Call): Promise<Response> {
  const tag = parameter(call, "tag");
  await changeTags(call, (tags) => readTags([...tags, tag]));
  return success(null);
}

/** Deletes a tag. */
export async function deleteTag(call: Call): Promise<Response> {
  const tag = parameter(call, "tag");
  await changeTags(call, (tags) => tags.filter((other) => other !== tag));
  return success(null);
}

/** Changes the tags. They do not concern an isolate, so the version and its isolate remain. */
async function changeTags(call: Call, change: (tags: readonly string[]) => string[]): Promise<void> {
  const script = await scriptOf(call);
  await changeExisting(call.var.platform, script, async ({ version }) => ({ ...version, tags: change(version.tags) }));
}
