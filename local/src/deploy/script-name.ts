import { Refusal } from "../refusal.ts";

/** Cloudflare's own rule for a script's name in a dispatch namespace, and its longest length. */
const NAME = /^[a-z0-9_][a-z0-9_-]*$/;
const MAX_LENGTH = 63;

/** Refuses a name that Cloudflare refuses. What the dispatch Worker can route to is a narrower matter, and not decided here. */
export function checkScriptName(name: string): void {
  if (NAME.test(name) && name.length <= MAX_LENGTH) return;
  throw new Refusal(
    "NAME_INVALID",
    `${JSON.stringify(name)} is not a script name. Use at most ${MAX_LENGTH} lower-case letters, digits, dashes and ` +
      "underscores, and begin with a letter, a digit or an underscore.",
  );
}
