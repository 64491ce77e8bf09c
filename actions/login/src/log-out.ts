import { annotate, log } from "../../step/workflow-commands.ts";
import { realWorld, revoke } from "./login.ts";
import type { Variables } from "./oidc-token.ts";

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
