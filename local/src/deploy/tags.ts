import { Refusal } from "../refusal.ts";

const MAX_TAGS = 8;

/** Reads tags as Cloudflare allows them: at most 8, without commas and ampersands, each counted once. */
export function readTags(value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((tag) => typeof tag !== "string")) {
    throw new Refusal("TAGS_INVALID", "`tags` must be a list of strings.");
  }
  const tags = [...new Set(value as string[])];
  const malformed = tags.find((tag) => tag === "" || tag.length > 1024 || /[,&]/.test(tag));
  if (malformed !== undefined) {
    throw new Refusal(
      "TAGS_INVALID",
      `${JSON.stringify(malformed)} is not a tag: a tag has 1 to 1024 characters and no , or &.`,
    );
  }
  if (tags.length > MAX_TAGS) {
    throw new Refusal("TAGS_INVALID", `A script has at most ${MAX_TAGS} tags, and these are ${tags.length}.`);
  }
  return tags;
}
