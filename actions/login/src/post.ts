/** The post step: revokes the token, also after a failed job. It never fails the job. */

import { realWorld, revoke } from "./login.ts";
import { annotate, log } from "./workflow-commands.ts";

const api = process.env["STATE_api"];
const token = process.env["STATE_token"];
// Without a token, the main step failed, and said why.
if (api && token) {
  try {
    log(`The deploy token is ${await revoke(realWorld, new URL(api), token)}.`);
  } catch (error) {
    annotate("warning", "The deploy token was not revoked", [
      `It expires at ${process.env["STATE_expires"]}.`,
      error instanceof Error ? error.message : String(error),
    ]);
  }
}
