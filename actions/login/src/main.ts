/** The main step: logs in, and sets the variables that wrangler reads. */

import { ActionFailure } from "../../step/failure.ts";
import { addToSummary, annotate, log, mask, setVariable } from "../../step/workflow-commands.ts";
import { parseApiAddress } from "./api-address.ts";
import { saveForLogOut } from "./log-out.ts";
import { logIn, realWorld, refuseOtherCredentials } from "./login.ts";
import { tokenSource } from "./oidc-token.ts";
import { summaryOf } from "./summary.ts";

async function main(): Promise<void> {
  const input = (name: string) => (process.env[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const api = parseApiAddress(input("api"));
  refuseOtherCredentials(process.env);
  const world = { ...realWorld, mask, log };
  const token = await logIn(world, api, input("audience"), tokenSource(process.env));
  // First what the post step needs, so that it also revokes the token if this step fails below.
  saveForLogOut(api, token);
  setVariable("GITHUB_ENV", "CLOUDFLARE_API_BASE_URL", `${api.origin}/client/v4`);
  setVariable("GITHUB_ENV", "CLOUDFLARE_API_TOKEN", token.token);
  setVariable("GITHUB_ENV", "CLOUDFLARE_ACCOUNT_ID", token.account);
  log(`Logged in to ${api.origin} as ${String(token.claims["repository"])}, until ${token.expires}.`);
  log(`Rules: ${token.rules.join(", ")}. Token in the audit log: ${token.id}.`);
}

try {
  await main();
} catch (error) {
  const failure = error instanceof ActionFailure ? error : new ActionFailure("The login failed", [String(error)]);
  annotate("error", failure.title, failure.lines);
  addToSummary(summaryOf("Login failed", failure));
  process.exitCode = 1;
}
