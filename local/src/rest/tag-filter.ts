import { Refusal } from "../refusal.ts";

/** Reads `a:yes,b:no`: which tags a script must have and must not have. Without any, every script passes. */
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
