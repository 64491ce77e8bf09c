import { Refusal } from "../refusal.ts";

const MAX_RULES = 100;
const MAX_RULE_LENGTH = 100;

/** `run_worker_first` as a list: the paths of either side, in the form that Cloudflare's router Worker reads. */
export interface StaticRouting {
  readonly user_worker: readonly string[];
  readonly asset_worker: readonly string[];
}

/** Reads `run_worker_first` where it is a list: `/api/*` goes to the script, `!/api/docs/*` to the assets. */
export function readStaticRouting(rules: readonly unknown[]): StaticRouting {
  const userWorker: string[] = [];
  const assetWorker: string[] = [];
  if (rules.length > MAX_RULES) {
    throw new Refusal(
      "ASSETS_INVALID",
      `\`run_worker_first\` has ${rules.length} rules; the platform allows ${MAX_RULES}.`,
    );
  }
  for (const rule of rules) {
    if (typeof rule !== "string" || !/^!?\//.test(rule) || rule.length > MAX_RULE_LENGTH) {
      throw new Refusal(
        "ASSETS_INVALID",
        `${JSON.stringify(rule)} in \`run_worker_first\` is not a rule: a rule begins with / or !/ and has at most ${MAX_RULE_LENGTH} characters.`,
      );
    }
    if (rule.startsWith("!")) assetWorker.push(rule.slice(1));
    else userWorker.push(rule);
  }
  if (userWorker.length === 0) {
    throw new Refusal("ASSETS_INVALID", "`run_worker_first` needs at least one rule that does not begin with !.");
  }
  return { user_worker: userWorker, asset_worker: assetWorker };
}
