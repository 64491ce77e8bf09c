import { readFileSync } from "node:fs";

import { ActionFailure, type Claims } from "../../step/failure.ts";
import { isObject, request, type Send } from "../../step/http.ts";

/** Where and with which credential a job requests OIDC tokens. */
export interface TokenSource {
  url: URL;
  bearer: string;
}

/** The variables of a step. */
export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Finds where the job requests OIDC tokens.
 *
 * Throws a {@link ActionFailure} if the job may not request any, with the most probable reason.
 */
export function tokenSource(variables: Variables): TokenSource {
  const url = variables["ACTIONS_ID_TOKEN_REQUEST_URL"];
  const bearer = variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  if (!url || !bearer) throw whyNoToken(variables);
  if (!URL.canParse(url)) {
    throw new ActionFailure("The runner's address for OIDC tokens is not a URL", [
      "ACTIONS_ID_TOKEN_REQUEST_URL is set by the runner: no step may change it.",
    ]);
  }
  return { url: new URL(url), bearer };
}

/** https://docs.github.com/en/actions/reference/security/oidc */
function whyNoToken(variables: Variables): ActionFailure {
  if (variables["GITHUB_ACTOR"] === "dependabot[bot]") {
    return new ActionFailure("Dependabot's runs get no OIDC token", [
      "Dependabot started this run. GitHub gives such runs only read permissions, so they cannot deploy.",
      "Skip the job for them with `if: github.actor != 'dependabot[bot]'`: the change is deployed after the merge.",
    ]);
  }
  if (isFromFork(variables)) {
    return new ActionFailure("Runs for pull requests from forks get no OIDC token", [
      "The pull request comes from a fork. GitHub gives its runs only read permissions, so they cannot deploy.",
      "Skip the job for them with `if: github.event.pull_request.head.repo.full_name == github.repository`.",
    ]);
  }
  return new ActionFailure("The job may not request an OIDC token", [
    "The permission `id-token: write` is missing.",
    "Add `permissions: { contents: read, id-token: write }` to the job. The job that calls a reusable workflow needs it, too.",
  ]);
}

function isFromFork(variables: Variables): boolean {
  const path = variables["GITHUB_EVENT_PATH"];
  if (!path || !variables["GITHUB_EVENT_NAME"]?.startsWith("pull_request")) return false;
  try {
    const event = JSON.parse(readFileSync(path, "utf8"));
    const head = event.pull_request.head.repo;
    // The repository of a fork that was deleted is null.
    return head === null || head.full_name !== variables["GITHUB_REPOSITORY"];
  } catch {
    return false;
  }
}

/**
 * Requests a new OIDC token. Each has another `jti`, and each is accepted once.
 *
 * Throws a `TransientFailure` or a {@link ActionFailure}.
 */
export async function requestOidcToken(
  send: Send,
  source: TokenSource,
  audience: string,
  timeout: number,
): Promise<string> {
  const url = new URL(source.url);
  url.searchParams.set("audience", audience);
  const headers = { Authorization: `Bearer ${source.bearer}`, Accept: "application/json" };
  const reply = await request(send, "GitHub's issuer of OIDC tokens", url, { headers }, timeout);
  if (reply.status === 200 && isObject(reply.json) && typeof reply.json["value"] === "string") return reply.json["value"];
  const message = isObject(reply.json) && typeof reply.json["message"] === "string" ? ` It says: ${reply.json["message"]}` : "";
  throw new ActionFailure("GitHub did not issue an OIDC token", [
    `${url.origin} answered with the status ${reply.status}.${message}`,
    "Run the job again. If it fails again, see https://www.githubstatus.com, or the log of your GitHub Enterprise Server.",
  ]);
}

/** The claims of a token, which are not verified here. Empty if the token cannot be read. */
export function claimsOf(token: string): Claims {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    return isObject(claims) ? claims : {};
  } catch {
    return {};
  }
}
