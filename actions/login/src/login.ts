import { setTimeout as sleep } from "node:timers/promises";

import { ActionFailure, type Claims, TransientFailure } from "../../step/failure.ts";
import { isObject, problemOf, request, REQUEST_TIMEOUT, type Reply, type Send } from "../../step/http.ts";
import { claimsOf, requestOidcToken, type TokenSource, type Variables } from "./oidc-token.ts";

/** How long failures that may not happen again are retried, in milliseconds. */
const RETRIES = 60_000;

/** The longest pause between two tries, in milliseconds, unless the server asks for another one. */
const MAX_PAUSE = 16_000;

const SERVER = "The deploy API";

/** Variables with which wrangler would authenticate in another way, and send that credential to the deploy API. */
const OTHER_CREDENTIALS = ["CLOUDFLARE_API_KEY", "CF_API_KEY", "CLOUDFLARE_EMAIL", "CF_EMAIL"];

/** A deploy token, and what wrangler needs to use it. */
export interface DeployToken {
  token: string;
  /** The id of the token in the audit log. It is not a credential. */
  id: string;
  /** When it expires, in ISO 8601. */
  expires: string;
  /** The id of the Cloudflare account. */
  account: string;
  /** The rules of the policy that allow the run to log in. */
  rules: string[];
  /** The claims of the run. */
  claims: Claims;
}

/** The world of a login, which tests replace. */
export interface World {
  send: Send;
  /** Milliseconds since any time. */
  now: () => number;
  pause: (milliseconds: number) => Promise<unknown>;
  /** Keeps a value out of the log. */
  mask: (value: string) => void;
  log: (line: string) => void;
}

/** The network and the clock. */
export const realWorld: Pick<World, "send" | "now" | "pause"> = {
  send: (url, init) => fetch(url, init),
  now: () => performance.now(),
  pause: (milliseconds) => sleep(milliseconds),
};

/** Throws an {@link ActionFailure} if wrangler would use another credential than the deploy token. */
export function refuseOtherCredentials(variables: Variables): void {
  const other = OTHER_CREDENTIALS.filter((name) => variables[name]);
  if (other.length === 0) return;
  throw new ActionFailure("The job has another Cloudflare credential", [
    `wrangler would use ${other.join(" and ")} in place of the deploy token.`,
    "Remove these variables from the workflow, and their secrets from the repository.",
  ]);
}

/**
 * Exchanges an OIDC token of the job for a deploy token. Transient failures are retried for at most a minute, each time with a new
 * OIDC token, because the deploy API accepts a token once.
 *
 * Throws a {@link ActionFailure}.
 */
export async function logIn(world: World, api: URL, audience: string, source: TokenSource): Promise<DeployToken> {
  const deadline = world.now() + RETRIES;
  for (let tries = 1; ; tries += 1) {
    try {
      const remaining = () => Math.max(1, Math.min(deadline - world.now(), REQUEST_TIMEOUT));
      const oidc = await requestOidcToken(world.send, source, audience, remaining());
      world.mask(oidc);
      return await exchange(world, api, oidc, remaining());
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      const pause = error.retryAfter ?? Math.min(1000 * 2 ** (tries - 1), MAX_PAUSE);
      if (world.now() + pause >= deadline) {
        throw new ActionFailure("The deploy API could not be reached", [
          error.message,
          `Gave up after ${tries} ${tries === 1 ? "try" : "tries"}. Run the job again later.`,
        ]);
      }
      world.log(`${error.message} Trying again in ${Math.ceil(pause / 1000)} s.`);
      await world.pause(pause);
    }
  }
}

async function exchange(world: World, api: URL, oidc: string, timeout: number): Promise<DeployToken> {
  const init = {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ token: oidc }),
  };
  const reply = await request(world.send, SERVER, new URL("/v1/tokens/exchange", api), init, timeout);
  const json = isObject(reply.json) ? reply.json : {};
  // Before anything else, so that no message can contain it.
  if (typeof json["token"] === "string") world.mask(json["token"]);
  const claims = claimsOf(oidc);
  if (reply.status !== 200) throw refusal(api, reply, claims);
  const { token, id, expires, account, rules } = json;
  const isComplete =
    typeof token === "string" && /^dotdo_run_[0-9a-f]{48}$/.test(token) &&
    typeof account === "string" && /^[0-9a-f]{32}$/.test(account) &&
    typeof id === "string" && typeof expires === "string" && Array.isArray(rules);
  if (!isComplete) throw notADeployApi(api, reply);
  return { token, id, expires, account, rules: rules.map(String), claims };
}

/** Why the deploy API does not give the run a token. */
function refusal(api: URL, reply: Reply, claims: Claims): ActionFailure {
  const problem = problemOf(reply.json);
  if (problem === undefined) return notADeployApi(api, reply);
  const lines = [problem.detail, ...problem.notes];
  if (problem.code === "AUTHENTICATION_FAILED") {
    lines.push(
      `The OIDC token has the issuer ${String(claims["iss"])} and the audience ${String(claims["aud"])}. ` +
        "The deploy API accepts those of its variables OIDC_ISSUERS and OIDC_AUDIENCE.",
    );
  }
  if (problem.fix) lines.push(problem.fix);
  if (problem.request_id) lines.push(`Request: ${problem.request_id}`);
  return new ActionFailure(problem.title, lines, claims);
}

function notADeployApi(api: URL, reply: Reply): ActionFailure {
  return new ActionFailure("The answer is not that of a deploy API", [
    `${api.origin} answered the exchange of the token with the status ${reply.status} and another document than expected.`,
    "Compare the input api with the address of the deploy API, and update the deploy API if it is older than this action.",
  ]);
}

/** What became of a token: it was revoked now, or it was no longer valid. */
export type Revocation = "revoked" | "not valid any more";

/**
 * Revokes a deploy token, with one repetition.
 *
 * Throws an `Error` if it may still be valid.
 */
export async function revoke(world: Pick<World, "send" | "pause">, api: URL, token: string): Promise<Revocation> {
  const init = { method: "DELETE", headers: { Authorization: `Bearer ${token}` } };
  const once = async () => {
    const reply = await request(world.send, SERVER, new URL("/v1/tokens/self", api), init, REQUEST_TIMEOUT);
    if (reply.status === 200 || reply.status === 204) return "revoked";
    if (reply.status === 401) return "not valid any more";
    throw new Error(problemOf(reply.json)?.detail ?? `${SERVER} answered with the status ${reply.status}.`);
  };
  try {
    return await once();
  } catch (error) {
    if (!(error instanceof TransientFailure)) throw error;
    await world.pause(1000);
    return await once();
  }
}
