import { ActionFailure } from "../../step/failure.ts";
import { log, mask } from "../../step/workflow-commands.ts";
import { parseApiAddress } from "../../login/src/api-address.ts";
import { saveForLogOut } from "../../login/src/log-out.ts";
import { logIn, realWorld, refuseOtherCredentials } from "../../login/src/login.ts";
import { tokenSource, type Variables } from "../../login/src/oidc-token.ts";
import type { Inputs } from "./inputs.ts";

/** Where and with which token the step deploys. */
export interface Credentials {
  api: URL;
  token: string;
  account: string;
}

/**
 * Prepares the login: with the input `api`, the step logs in for itself. Then the token is not in the variables of other steps, and the post step
 * revokes it. Otherwise, the login of an earlier step is used.
 *
 * Throws an {@link ActionFailure} if no login is possible, for example in a run for a fork. The returned function throws one if the deploy API
 * refuses the login.
 */
export function preparedLogin(inputs: Inputs, variables: Variables): () => Promise<Credentials> {
  refuseOtherCredentials(variables);
  if (inputs.api === "") {
    const credentials = earlierLogin(variables);
    return async () => credentials;
  }
  const api = parseApiAddress(inputs.api);
  const source = tokenSource(variables);
  return async () => {
    const issued = await logIn({ ...realWorld, mask, log }, api, inputs.audience, source);
    saveForLogOut(api, issued);
    return { api, token: issued.token, account: issued.account };
  };
}

function earlierLogin(variables: Variables): Credentials {
  const base = variables["CLOUDFLARE_API_BASE_URL"] ?? "";
  const token = variables["CLOUDFLARE_API_TOKEN"] ?? "";
  const account = variables["CLOUDFLARE_ACCOUNT_ID"] ?? "";
  if (base !== "" && token !== "" && account !== "") {
    mask(token);
    return { api: parseApiAddress(base), token, account };
  }
  // Without a token of the run, this says why, for example that the pull request comes from a fork.
  tokenSource(variables);
  throw new ActionFailure("The job is not logged in", [
    token === "" ? "There is no deploy token." : "CLOUDFLARE_API_TOKEN is not one of a deploy API: CLOUDFLARE_API_BASE_URL is missing.",
    "Set the input api, or use actions/login in an earlier step of the job.",
  ]);
}
