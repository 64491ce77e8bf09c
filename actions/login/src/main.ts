/** The main step: logs in, and sets the variables that wrangler reads. */

import { parseApiAddress } from "./api-address.ts";
import { LoginFailure } from "./failure.ts";
import { logIn, realWorld } from "./login.ts";
import { tokenSource } from "./oidc-token.ts";
import { summaryOf } from "./summary.ts";
import { addToSummary, annotate, log, mask, setVariable } from "./workflow-commands.ts";

/** Variables with which wrangler would authenticate in another way, and send that credential to the deploy API. */
const OTHER_CREDENTIALS = ["CLOUDFLARE_API_KEY", "CF_API_KEY", "CLOUDFLARE_EMAIL", "CF_EMAIL"];

async function main(): Promise<void> {
  const input = (name: string) => (process.env[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const api = parseApiAddress(input("api"));
  const other = OTHER_CREDENTIALS.filter((name) => process.env[name]);
  if (other.length > 0) {
    throw new LoginFailure("The job has another Cloudflare credential", [
      `wrangler would use ${other.join(" and ")} in place of the deploy token.`,
      "Remove these variables from the workflow, and their secrets from the repository.",
    ]);
  }
  const world = { ...realWorld, mask, log };
  const token = await logIn(world, api, input("audience"), tokenSource(process.env));
  // First what the post step needs, so that it also revokes the token if this step fails below.
  setVariable("GITHUB_STATE", "api", api.origin);
  setVariable("GITHUB_STATE", "token", token.token);
  setVariable("GITHUB_STATE", "expires", token.expires);
  setVariable("GITHUB_ENV", "CLOUDFLARE_API_BASE_URL", `${api.origin}/client/v4`);
  setVariable("GITHUB_ENV", "CLOUDFLARE_API_TOKEN", token.token);
  setVariable("GITHUB_ENV", "CLOUDFLARE_ACCOUNT_ID", token.account);
  log(`Logged in to ${api.origin} as ${String(token.claims["repository"])}, until ${token.expires}.`);
  log(`Rules: ${token.rules.join(", ")}. Token in the audit log: ${token.id}.`);
}

try {
  await main();
} catch (error) {
  const failure = error instanceof LoginFailure ? error : new LoginFailure("The login failed", [String(error)]);
  annotate("error", failure.title, failure.lines);
  addToSummary(summaryOf(failure));
  process.exitCode = 1;
}
