import { Refusal } from "../refusal.ts";

const MAX_TAGS = 8;

/** Reads tags, as Cloudflare allows them: at most 8 different ones, without commas and ampersands. */
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

/** Reads `a:yes,b:no`: the tags that a script must have and must not have. An empty filter selects every script. */
export function readTagFilter(text: string | null): (tags: readonly string[]) => boolean {
  const conditions = (text ?? "")
    .split(",")
    .filter((condition) => condition !== "")
    .map((condition) => {
      const colon = condition.lastIndexOf(":");
      const wanted = condition.slice(colon + 1);
      if (colon > 0 && (wanted === "yes" || wanted === "no"))
        return { tag: condition.slice(0, colon), present: wanted === "yes" };
      throw new Refusal(
        "TAGS_INVALID",
        `${JSON.stringify(condition)} is not a tag filter: write \`tag:yes\` or \`tag:no\`, with commas between.`,
      );
    });
  return (tags) => conditions.every(({ tag, present }) => tags.includes(tag) === present);
}
