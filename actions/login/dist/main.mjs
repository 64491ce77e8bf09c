// step/failure.ts
var ActionFailure = class extends Error {
  /** A short description. */
  title;
  /** What happened, and what to do, a sentence each. */
  lines;
  /** The claims of the run, if it has an OIDC token. */
  claims;
  constructor(title, lines, claims) {
    super([title, ...lines].join("\n"));
    this.title = title;
    this.lines = lines;
    this.claims = claims;
  }
};
var TransientFailure = class extends Error {
  /** How long the server asks to wait, in milliseconds. */
  retryAfter;
  constructor(message, retryAfter2) {
    super(message);
    this.retryAfter = retryAfter2;
  }
};

// step/workflow-commands.ts
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { EOL } from "node:os";
var secrets = /* @__PURE__ */ new Set();
function mask(value) {
  if (value !== "") secrets.add(value);
  command(`::add-mask::${escapeMessage(value)}`);
}
function annotate(level, title, lines) {
  command(`::${level} title=${escapeProperty(title)}::${escapeMessage(lines.join("\n"))}`);
}
function log(text) {
  write(withoutCommands(text));
}
function setVariable(file, name, value) {
  const delimiter = `delimiter_${randomUUID()}`;
  append(file, [`${name}<<${delimiter}`, value, delimiter].join(EOL) + EOL);
}
var held;
function addToSummary(markdown) {
  if (process.env["GITHUB_STEP_SUMMARY"]) append("GITHUB_STEP_SUMMARY", markdown + EOL);
}
function append(file, text) {
  const path = process.env[file];
  if (!path) throw new Error(`${file} is not set: this program runs as a step of GitHub Actions`);
  appendFileSync(path, text, "utf8");
}
function command(line) {
  if (held === void 0) write(line);
  else held.push(line);
}
function write(line) {
  process.stdout.write(line + EOL);
}
function withoutCommands(text) {
  const line = text.replace(new RegExp("\\p{Cc}", "gu"), "�").replaceAll("##[", "##​[");
  return line.trimStart().startsWith("::") ? `​${line.trimStart()}` : line;
}
function escapeMessage(text) {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
function escapeProperty(text) {
  return escapeMessage(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

// login/src/api-address.ts
var LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
function parseApiAddress(text) {
  const invalid = (reason) => new ActionFailure("The input api is not the address of a deploy API", [
    `${JSON.stringify(text)} ${reason}.`,
    "Write it as in `with: { api: https://deploy.example.com }`."
  ]);
  if (text === "") throw invalid("is empty");
  if (!URL.canParse(text)) throw invalid("is not a URL");
  const url = new URL(text);
  const isSecure = url.protocol === "https:" || url.protocol === "http:" && LOOPBACK.includes(url.hostname);
  if (!isSecure) throw invalid("is not an https URL");
  if (url.username || url.password) throw invalid("contains a credential");
  const path = url.pathname.replace(/\/+$/, "");
  if (path !== "" && path !== "/client/v4" || url.search || url.hash) throw invalid("has a path or a query");
  return new URL(url.origin);
}

// login/src/login.ts
import { setTimeout as sleep } from "node:timers/promises";

// step/http.ts
var REQUEST_TIMEOUT = 1e4;
var MAX_RESPONSE = 8 * 1024 * 1024;
async function request(send, server, url, init, timeout) {
  let response;
  let text;
  try {
    response = await send(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.timeout(timeout)
    });
    text = await response.text();
  } catch (error) {
    throw new TransientFailure(`${server} (${url.origin}) does not answer: ${causeOf(error)}.`);
  }
  const reply = { status: response.status, json: parse(text) };
  if (reply.status >= 300 && reply.status < 400) {
    throw new ActionFailure(`${server} redirects`, [
      `${url.origin} answers ${url.pathname} with a redirect, which is not followed with a credential.`,
      "Set the address that it redirects to."
    ]);
  }
  if (reply.status === 408 || reply.status === 429 || reply.status >= 500) {
    const detail = problemOf(reply.json)?.detail ?? `It answers with the status ${reply.status}.`;
    throw new TransientFailure(
      `${server} (${url.origin}) cannot answer now. ${detail}`,
      retryAfter(response.headers.get("retry-after"))
    );
  }
  return reply;
}
function problemOf(json) {
  if (!isObject(json) || typeof json["title"] !== "string" || typeof json["detail"] !== "string") return void 0;
  const text = (member) => typeof json[member] === "string" ? json[member] : void 0;
  const notes = Array.isArray(json["notes"]) ? json["notes"].filter((note) => typeof note === "string") : [];
  return {
    title: json["title"],
    detail: json["detail"],
    code: text("code"),
    fix: text("fix"),
    notes,
    request_id: text("request_id")
  };
}
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function parse(text) {
  if (text.length > MAX_RESPONSE) return void 0;
  try {
    return JSON.parse(text);
  } catch {
    return void 0;
  }
}
function retryAfter(header) {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1e3 : void 0;
}
function causeOf(error) {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "the request timed out";
  const { cause } = error;
  if (cause instanceof Error) return "code" in cause ? `${cause.message || "connection failed"} (${String(cause.code)})` : cause.message;
  return error.message;
}

// login/src/oidc-token.ts
import { readFileSync } from "node:fs";
function tokenSource(variables) {
  const url = variables["ACTIONS_ID_TOKEN_REQUEST_URL"];
  const bearer = variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  if (!url || !bearer) throw whyNoToken(variables);
  if (!URL.canParse(url)) {
    throw new ActionFailure("The runner's address for OIDC tokens is not a URL", [
      "ACTIONS_ID_TOKEN_REQUEST_URL is set by the runner: no step may change it."
    ]);
  }
  return { url: new URL(url), bearer };
}
function whyNoToken(variables) {
  if (variables["GITHUB_ACTOR"] === "dependabot[bot]") {
    return new ActionFailure("Dependabot's runs get no OIDC token", [
      "Dependabot started this run. GitHub gives such runs only read permissions, so they cannot deploy.",
      "Skip the job for them with `if: github.actor != 'dependabot[bot]'`: the change is deployed after the merge."
    ]);
  }
  if (isFromFork(variables)) {
    return new ActionFailure("Runs for pull requests from forks get no OIDC token", [
      "The pull request comes from a fork. GitHub gives its runs only read permissions, so they cannot deploy.",
      "Skip the job for them with `if: github.event.pull_request.head.repo.full_name == github.repository`."
    ]);
  }
  return new ActionFailure("The job may not request an OIDC token", [
    "The permission `id-token: write` is missing.",
    "Add `permissions: { contents: read, id-token: write }` to the job. The job that calls a reusable workflow needs it, too."
  ]);
}
function isFromFork(variables) {
  const path = variables["GITHUB_EVENT_PATH"];
  if (!path || !variables["GITHUB_EVENT_NAME"]?.startsWith("pull_request")) return false;
  try {
    const event = JSON.parse(readFileSync(path, "utf8"));
    const head = event.pull_request.head.repo;
    return head === null || head.full_name !== variables["GITHUB_REPOSITORY"];
  } catch {
    return false;
  }
}
async function requestOidcToken(send, source, audience, timeout) {
  const url = new URL(source.url);
  url.searchParams.set("audience", audience);
  const headers = { Authorization: `Bearer ${source.bearer}`, Accept: "application/json" };
  const reply = await request(send, "GitHub's issuer of OIDC tokens", url, { headers }, timeout);
  if (reply.status === 200 && isObject(reply.json) && typeof reply.json["value"] === "string") return reply.json["value"];
  const message = isObject(reply.json) && typeof reply.json["message"] === "string" ? ` It says: ${reply.json["message"]}` : "";
  throw new ActionFailure("GitHub did not issue an OIDC token", [
    `${url.origin} answered with the status ${reply.status}.${message}`,
    "Run the job again. If it fails again, see https://www.githubstatus.com, or the log of your GitHub Enterprise Server."
  ]);
}
function claimsOf(token) {
  try {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    return isObject(claims) ? claims : {};
  } catch {
    return {};
  }
}

// login/src/login.ts
var RETRIES = 6e4;
var MAX_PAUSE = 16e3;
var SERVER = "The deploy API";
var OTHER_CREDENTIALS = ["CLOUDFLARE_API_KEY", "CF_API_KEY", "CLOUDFLARE_EMAIL", "CF_EMAIL"];
var realWorld = {
  send: (url, init) => fetch(url, init),
  now: () => performance.now(),
  pause: (milliseconds) => sleep(milliseconds)
};
function refuseOtherCredentials(variables) {
  const other = OTHER_CREDENTIALS.filter((name) => variables[name]);
  if (other.length === 0) return;
  throw new ActionFailure("The job has another Cloudflare credential", [
    `wrangler would use ${other.join(" and ")} in place of the deploy token.`,
    "Remove these variables from the workflow, and their secrets from the repository."
  ]);
}
async function logIn(world, api, audience, source) {
  const deadline = world.now() + RETRIES;
  for (let tries = 1; ; tries += 1) {
    try {
      const remaining = () => Math.max(1, Math.min(deadline - world.now(), REQUEST_TIMEOUT));
      const oidc = await requestOidcToken(world.send, source, audience, remaining());
      world.mask(oidc);
      return await exchange(world, api, oidc, remaining());
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      const pause = error.retryAfter ?? Math.min(1e3 * 2 ** (tries - 1), MAX_PAUSE);
      if (world.now() + pause >= deadline) {
        throw new ActionFailure("The deploy API could not be reached", [
          error.message,
          `Gave up after ${tries} ${tries === 1 ? "try" : "tries"}. Run the job again later.`
        ]);
      }
      world.log(`${error.message} Trying again in ${Math.ceil(pause / 1e3)} s.`);
      await world.pause(pause);
    }
  }
}
async function exchange(world, api, oidc, timeout) {
  const init = {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ token: oidc })
  };
  const reply = await request(world.send, SERVER, new URL("/v1/tokens/exchange", api), init, timeout);
  const json = isObject(reply.json) ? reply.json : {};
  if (typeof json["token"] === "string") world.mask(json["token"]);
  const claims = claimsOf(oidc);
  if (reply.status !== 200) throw refusal(api, reply, claims);
  const { token, id, expires, account, rules } = json;
  const isComplete = typeof token === "string" && /^dotdo_run_[0-9a-f]{48}$/.test(token) && typeof account === "string" && /^[0-9a-f]{32}$/.test(account) && typeof id === "string" && typeof expires === "string" && Array.isArray(rules);
  if (!isComplete) throw notADeployApi(api, reply);
  return { token, id, expires, account, rules: rules.map(String), claims };
}
function refusal(api, reply, claims) {
  const problem = problemOf(reply.json);
  if (problem === void 0) return notADeployApi(api, reply);
  const lines = [problem.detail, ...problem.notes];
  if (problem.code === "AUTHENTICATION_FAILED") {
    lines.push(
      `The OIDC token has the issuer ${String(claims["iss"])} and the audience ${String(claims["aud"])}. The deploy API accepts those of its variables OIDC_ISSUERS and OIDC_AUDIENCE.`
    );
  }
  if (problem.fix) lines.push(problem.fix);
  if (problem.request_id) lines.push(`Request: ${problem.request_id}`);
  return new ActionFailure(problem.title, lines, claims);
}
function notADeployApi(api, reply) {
  return new ActionFailure("The answer is not that of a deploy API", [
    `${api.origin} answered the exchange of the token with the status ${reply.status} and another document than expected.`,
    "Compare the input api with the address of the deploy API, and update the deploy API if it is older than this action."
  ]);
}

// login/src/log-out.ts
function saveForLogOut(api, { token, expires }) {
  setVariable("GITHUB_STATE", "api", api.origin);
  setVariable("GITHUB_STATE", "token", token);
  setVariable("GITHUB_STATE", "expires", expires);
}

// step/markup.ts
var DIRECTION = /[\u202a-\u202e\u2066-\u2069]/g;
function escape(text) {
  return text.toWellFormed().replace(DIRECTION, "�").replace(new RegExp("\\p{Cc}", "gu"), " ").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
function shortened(text, longest) {
  return text.length > longest ? `${text.slice(0, longest)} …` : text;
}

// login/src/summary.ts
var CLAIMS = [
  "iss",
  "repository",
  "repository_id",
  "repository_owner_id",
  "ref",
  "ref_protected",
  "environment",
  "event_name",
  "workflow_ref",
  "job_workflow_ref",
  "actor",
  "actor_id",
  "runner_environment"
];
var MAX_LINES = 100;
var LONGEST_LINE = 1e3;
function summaryOf(title, failure) {
  const lines = failure.lines.slice(0, MAX_LINES).map((line) => `<li>${shown(line)}</li>`);
  const hidden = failure.lines.length - MAX_LINES;
  if (hidden > 0) lines.push(`<li>and ${hidden} more lines</li>`);
  const parts = [`<h3>${title}: ${escape(failure.title)}</h3>`, `<ul>${lines.join("")}</ul>`];
  if (failure.claims) parts.push(claimsTable(failure.claims));
  return parts.join("\n");
}
function claimsTable(claims) {
  const rows = CLAIMS.filter((name) => claims[name] !== void 0).map(
    (name) => `<tr><td>${name}</td><td><code>${shown(String(claims[name]))}</code></td></tr>`
  );
  return `<details><summary>The claims of this run</summary><table>${rows.join("")}</table></details>`;
}
function shown(text) {
  return escape(shortened(text, LONGEST_LINE));
}

// login/src/main.ts
async function main() {
  const input = (name) => (process.env[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const api = parseApiAddress(input("api"));
  refuseOtherCredentials(process.env);
  const world = { ...realWorld, mask, log };
  const token = await logIn(world, api, input("audience"), tokenSource(process.env));
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
