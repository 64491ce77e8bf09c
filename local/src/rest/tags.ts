import { changeExisting } from "../deploy/script-change.ts";
import { readTags } from "../deploy/tags.ts";
import { jsonBody, parameter, scriptOf, type Call } from "./call.ts";
import { success } from "./envelope.ts";

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

/** Takes a tag away. */
export async function deleteTag(call: Call): Promise<Response> {
  const tag = parameter(call, "tag");
  await changeTags(call, (tags) => tags.filter((other) => other !== tag));
  return success(null);
}

/** Tags are no part of what an isolate runs, so the version stays, and with it the isolate. */
async function changeTags(call: Call, change: (tags: readonly string[]) => string[]): Promise<void> {
  const script = await scriptOf(call);
  await changeExisting(call.platform, script, async ({ version }) => ({ ...version, tags: change(version.tags) }));
}
