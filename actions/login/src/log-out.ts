import { annotate, log, setVariable } from "../../step/workflow-commands.ts";
import { type DeployToken, realWorld, revoke } from "./login.ts";
import type { Variables } from "./oidc-token.ts";

/** Saves what the post step needs to revoke a token. */
export function saveForLogOut(api: URL, { token, expires }: DeployToken): void {
  setVariable("GITHUB_STATE", "api", api.origin);
  setVariable("GITHUB_STATE", "token", token);
  setVariable("GITHUB_STATE", "expires", expires);
}

/** Revokes the token that the main step saved, if it saved one. It never throws. */
export async function logOut(variables: Variables): Promise<void> {
  const api = variables["STATE_api"];
  const token = variables["STATE_token"];
  // Without a token, the main step failed, and said why.
  if (!api || !token) return;
  try {
    log(`The deploy token is ${await revoke(realWorld, new URL(api), token)}.`);
  } catch (error) {
    annotate("warning", "The deploy token was not revoked", [
      `It expires at ${variables["STATE_expires"]}.`,
      error instanceof Error ? error.message : String(error),
    ]);
  }
}
