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

// login/src/login.ts
var SERVER = "The deploy API";
var realWorld = {
  send: (url, init) => fetch(url, init),
  now: () => performance.now(),
  pause: (milliseconds) => sleep(milliseconds)
};
async function revoke(world, api, token) {
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
    await world.pause(1e3);
    return await once();
  }
}

// login/src/log-out.ts
async function logOut(variables) {
  const api = variables["STATE_api"];
  const token = variables["STATE_token"];
  if (!api || !token) return;
  try {
    log(`The deploy token is ${await revoke(realWorld, new URL(api), token)}.`);
  } catch (error) {
    annotate("warning", "The deploy token was not revoked", [
      `It expires at ${variables["STATE_expires"]}.`,
      error instanceof Error ? error.message : String(error)
    ]);
  }
}

// step/retries.ts
var PAUSES = [1e3, 3e3];
var MAX_PAUSE = 1e4;
async function retried(pause, once) {
  for (const usual of PAUSES) {
    try {
      return await once();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      const asked = error.retryAfter ?? usual;
      if (asked > MAX_PAUSE) throw error;
      await pause(asked);
    }
  }
  return await once();
}

// deploy/src/github.ts
var VERSION = "2022-11-28";
var PAGE = 100;
var SERVER2 = "GitHub's API";
var TOKEN_OF_APP = "ghs_";
var GitHub = class {
  #world;
  #api;
  #base;
  #token;
  #headers;
  /**
   * @param api `GITHUB_API_URL`
   * @param repository `OWNER/NAME`
   */
  constructor(world, api, repository, token) {
    this.#world = world;
    this.#api = api;
    this.#base = `${api}/repos/${repository}`;
    this.#token = token;
    this.#headers = {
      Accept: "application/vnd.github+json",
      Authorization: `Bearer ${token}`,
      "User-Agent": "drivly/dispatch.do",
      "X-GitHub-Api-Version": VERSION
    };
  }
  /** The object of an answer. */
  get(path, query = {}) {
    return retried(this.#world.pause, () => this.#send("GET", path, query, void 0));
  }
  /** The name of the user of the token; undefined for a token of an app, such as that of the job. */
  async user() {
    if (this.#token.startsWith(TOKEN_OF_APP)) return void 0;
    const { login } = await retried(this.#world.pause, () => this.#sendTo("GET", new URL(`${this.#api}/user`), void 0));
    return typeof login === "string" ? login : void 0;
  }
  /** One page of a list. */
  async list(path, query, page = 1) {
    const all = { per_page: String(PAGE), page: String(page), ...query };
    const { items } = await retried(this.#world.pause, () => this.#send("GET", path, all, void 0));
    return Array.isArray(items) ? items.filter(isObject) : [];
  }
  /** All pages of a list. */
  async all(path) {
    const found = [];
    for (let page = 1; ; page += 1) {
      const items = await this.list(path, {}, page);
      found.push(...items);
      if (items.length < PAGE) return found;
    }
  }
  /** Creates something. It is not repeated, because the first request may have succeeded. */
  post(path, body) {
    return this.#send("POST", path, {}, body);
  }
  patch(path, body) {
    return retried(this.#world.pause, () => this.#send("PATCH", path, {}, body));
  }
  /** Deletes something, unless it does not exist any more. */
  async delete(path) {
    await retried(this.#world.pause, () => this.#send("DELETE", path, {}, void 0, [404]));
  }
  /**
   * Downloads what an address of the API leads to, without the token: it is on another server.
   *
   * Throws an {@link ActionFailure} if it is longer than `longest` bytes.
   */
  download(path, longest) {
    return retried(this.#world.pause, async () => {
      try {
        return await this.#downloadOnce(new URL(this.#base + path), longest);
      } catch (error) {
        throw error instanceof ActionFailure ? error : new TransientFailure(`${SERVER2} does not answer: ${String(error)}.`);
      }
    });
  }
  async #downloadOnce(url, longest) {
    const signal = AbortSignal.timeout(6 * REQUEST_TIMEOUT);
    const leading = await this.#world.send(url, { headers: this.#headers, redirect: "manual", signal });
    const location = leading.headers.get("location");
    if (leading.status !== 302 || location === null) throw refusal("GET", url, { status: leading.status, json: void 0 });
    const response = await this.#world.send(new URL(location), { redirect: "error", signal });
    if (response.status !== 200 || response.body === null) throw refusal("GET", url, { status: response.status, json: void 0 });
    const parts = [];
    let length = 0;
    for await (const part of response.body) {
      length += part.length;
      if (length > longest) throw new ActionFailure("The artifact is too large", [`It has more than ${longest} bytes.`]);
      parts.push(part);
    }
    return Buffer.concat(parts);
  }
  async #send(method, path, query, body, accepted = []) {
    const url = new URL(this.#base + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return await this.#sendTo(method, url, body, accepted);
  }
  async #sendTo(method, url, body, accepted = []) {
    const content = body === void 0 ? {} : { body: JSON.stringify(body) };
    const headers = body === void 0 ? this.#headers : { ...this.#headers, "Content-Type": "application/json" };
    const reply = await request(this.#world.send, SERVER2, url, { method, headers, ...content }, REQUEST_TIMEOUT);
    if (reply.status >= 400 && !accepted.includes(reply.status)) throw refusal(method, url, reply);
    if (Array.isArray(reply.json)) return { items: reply.json };
    return isObject(reply.json) ? reply.json : {};
  }
};
var PERMISSIONS = [
  ["/deployments", "deployments: write"],
  ["/comments", "pull-requests: write"],
  ["/pulls/", "pull-requests: read"],
  ["/actions/", "actions: read"]
];
function refusal(method, url, reply) {
  const message = isObject(reply.json) && typeof reply.json["message"] === "string" ? `: ${reply.json["message"]}` : "";
  const lines = [`${method} ${url.origin}${url.pathname} was answered with the status ${reply.status}${message}.`];
  const permission = PERMISSIONS.find(([part]) => url.pathname.includes(part))?.[1];
  const isRefused = (reply.status === 403 || reply.status === 404) && (message === "" || /not accessible|not found/i.test(message));
  if (/rate limit/i.test(message)) lines.push("GitHub limits the requests of all jobs of the repository. Run the job again later.");
  if (isRefused && permission !== void 0) {
    lines.push(`Add \`${permission}\` to the permissions of the job, and of the job that calls a reusable workflow.`);
  }
  if (reply.status === 401) lines.push("The input github-token is not valid. By default, it is the token of the job.");
  return new ActionFailure("GitHub refused a request", lines);
}

// deploy/src/inputs.ts
var ENVIRONMENTS = ["production", "staging", "development"];
function inputsOf(variables) {
  const text = (name) => (variables[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const isPreview = flag("preview", text("preview"));
  const environment = text("environment");
  if (isPreview && environment !== "" && environment !== "development") {
    throw invalid("environment", `is ${quoted(environment)}, and a preview is always in development`, "Remove it.");
  }
  const promoteFrom = text("promote-from");
  const inputs = {
    api: text("api"),
    audience: text("audience"),
    environment: isPreview ? "development" : environmentOf("environment", environment),
    isPreview,
    worker: text("worker"),
    folder: text("working-directory") || ".",
    config: text("config"),
    wranglerEnvironment: text("wrangler-environment"),
    artifact: text("artifact"),
    promoteFrom: promoteFrom === "" ? void 0 : environmentOf("promote-from", promoteFrom),
    deployment: text("deployment"),
    githubToken: text("github-token"),
    hasGitHubDeployment: flag("github-deployment", text("github-deployment")),
    dotdo: text("dotdo")
  };
  if (inputs.artifact !== "" && !isPreview) throw invalid("artifact", "is only for previews", "Add `preview: true`.");
  if (inputs.promoteFrom !== void 0 && isPreview) throw invalid("promote-from", "is not for previews", "Remove one of the two.");
  for (const name of ["worker", "config", "wrangler-environment", "artifact", "deployment"]) {
    if (text(name).startsWith("-")) throw invalid(name, `${quoted(text(name))} begins with a hyphen`, "Correct it.");
  }
  return inputs;
}
function environmentOf(name, text) {
  const found = ENVIRONMENTS.find((environment) => environment === text);
  if (found !== void 0) return found;
  const fix = `Write one of ${ENVIRONMENTS.join(", ")}, as in \`with: { ${name}: staging }\`.`;
  throw invalid(name, text === "" ? "is missing" : `is ${quoted(text)}, which is not an environment`, fix);
}
function flag(name, text) {
  if (text === "true") return true;
  if (text === "false" || text === "") return false;
  throw invalid(name, `is ${quoted(text)}`, "Write true or false.");
}
function quoted(text) {
  return JSON.stringify(text);
}
function invalid(name, reason, fix) {
  return new ActionFailure(`The input ${name} is not valid`, [`${name} ${reason}.`, fix]);
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
var LONGEST_LINE = 1e3;
function claimsTable(claims) {
  const rows = CLAIMS.filter((name) => claims[name] !== void 0).map(
    (name) => `<tr><td>${name}</td><td><code>${shown(String(claims[name]))}</code></td></tr>`
  );
  return `<details><summary>The claims of this run</summary><table>${rows.join("")}</table></details>`;
}
function shown(text) {
  return escape(shortened(text, LONGEST_LINE));
}

// deploy/src/comment.ts
async function keepComment(github, pullRequest, marker, text, isCreated) {
  const body = `${hidden(marker)}
${text}`;
  const user = await github.user();
  const list = async () => commentsOf(await github.all(`/issues/${pullRequest}/comments`), marker.worker, user);
  let found = await list();
  if (found.length === 0) {
    if (!isCreated) return;
    await github.post(`/issues/${pullRequest}/comments`, { body });
    found = await list();
    if (found.length === 1) return;
  }
  const [kept, ...others] = found;
  if (kept === void 0) return;
  for (const { id } of others) await github.delete(`/issues/comments/${id}`);
  const isLatest = found.every(({ began }) => began <= marker.began);
  if (isLatest) await github.patch(`/issues/comments/${kept.id}`, { body });
}
function commentsOf(comments, worker2, author) {
  const found = [];
  for (const { id, body, user } of comments) {
    const { type, login } = isObject(user) ? user : {};
    const isOwn = author === void 0 ? type === "Bot" : login === author;
    const match = /^<!-- dotdo-preview (\S+) (\d+) -->/.exec(String(body));
    if (isOwn && typeof id === "number" && match?.[1] === worker2) found.push({ id, began: Number(match[2]) });
  }
  return found.sort((one, other) => one.id - other.id);
}
function hidden({ worker: worker2, began }) {
  return `<!-- dotdo-preview ${worker2} ${began} -->`;
}

// deploy/src/github-deployment.ts
var LONGEST_DESCRIPTION = 140;
function environmentName(worker2, environment, isPreview) {
  return `${isPreview ? "preview" : environment}/${worker2}`;
}
async function createDeployment(github, run, name, { environment, isPreview }) {
  const created = await github.post("/deployments", {
    ref: run.commit,
    environment: name,
    description: "Deployed to the .do platform",
    // The job decides whether it deploys: GitHub must not merge the default branch, or wait for checks of which the job is one.
    auto_merge: false,
    required_contexts: [],
    transient_environment: isPreview,
    production_environment: environment === "production"
  });
  const { id } = created;
  if (typeof id !== "number") throw new Error("GitHub's answer to the creation of a deployment has no id");
  return id;
}
async function setStatus(github, deployment, state, log2, { url = "", description = "" } = {}) {
  await github.post(`/deployments/${deployment}/statuses`, {
    state,
    log_url: log2,
    ...url === "" ? {} : { environment_url: url },
    description: [...description].slice(0, LONGEST_DESCRIPTION).join("")
  });
}
async function deactivateOthers(github, name, except, log2) {
  for (const { id } of await github.list("/deployments", { environment: name })) {
    if (typeof id !== "number" || id === except) continue;
    const state = latestState(await github.list(`/deployments/${id}/statuses`, { per_page: "1" }));
    if (state === "inactive") return;
    if (state !== "failure") await setStatus(github, id, "inactive", log2);
  }
}
function latestState([latest]) {
  return latest?.["state"];
}

// deploy/src/report.ts
var MAX_LINES = 40;
var LONGEST_TEXT = 500;
var LONGEST_CELL = 15e3;
var LONGEST_ROWS = 6e4;
function htmlOf(report) {
  const { worker: worker2, environment, commit, commitPage, status, deployment, changes, failure } = report;
  const title = report.isPreview ? `Preview <code>${escape(worker2)}</code>` : `<code>${escape(worker2)}</code> in ${environment}`;
  const rows = [["Status", `<b>${status}</b>`]];
  const isServed = status === "deployed" || status === "promoted";
  for (const url of isServed ? deployment?.urls ?? [] : []) rows.push(["URL", `<a href="${escape(url)}">${escape(url)}</a>`]);
  rows.push(["Commit", `<a href="${escape(commitPage)}"><code>${escape(commit)}</code></a>`]);
  if (deployment !== void 0) {
    rows.push(["Deployment", code(deployment.id)]);
    rows.push(["Size", sizeOf(deployment.size, changes?.size.before ?? null)]);
    if (deployment.startup !== void 0) rows.push(["Start-up time", `${deployment.startup} ms`]);
  }
  if (isServed && deployment?.expires !== void 0) rows.push(["Expires", `${escape(deployment.expires)}, unless it is deployed again`]);
  if (deployment !== void 0 && changes !== void 0) {
    rows.push(["Changed bindings", changed(changes.bindings, deployment.bindings)]);
    rows.push(["Changed modules", changed(changes.modules, void 0)]);
  }
  if (failure !== void 0) rows.push(["Failure", cellOf([`<b>${code(failure.title)}</b>`, ...failure.lines.map(code)])]);
  for (const { message } of deployment?.warnings ?? []) rows.push(["Warning", code(message)]);
  const cells = [...limited(rows), ["Log", `<a href="${escape(report.log)}">the run</a>`]].map(([name, value]) => `<tr><td>${name}</td><td>${value}</td></tr>`);
  return `<h3>${title}</h3><table>${cells.join("")}</table>`;
}
function limited(rows) {
  let length = 0;
  const end = rows.findIndex(([name, value]) => (length += name.length + value.length + "<tr><td></td><td></td></tr>".length) > LONGEST_ROWS);
  return end < 0 ? rows : [...rows.slice(0, end), ["…", `${rows.length - end} more in the log`]];
}
function changed({ added, removed, changed: others }, types) {
  const typed = (name) => types?.has(name) ? `${name} (${types.get(name)})` : name;
  const parts = [
    ...added.map((name) => `added ${code(typed(name))}`),
    ...others.map((name) => `changed ${code(typed(name))}`),
    ...removed.map((name) => `removed ${code(name)}`)
  ];
  return parts.length === 0 ? "none" : cellOf(parts);
}
function cellOf(lines) {
  let length = 0;
  const end = lines.findIndex((line, index) => index === MAX_LINES || (length += line.length) > LONGEST_CELL);
  return (end < 0 ? lines : [...lines.slice(0, end), `and ${lines.length - end} more`]).join("<br>");
}
function sizeOf(after, before) {
  const difference = before === null ? "" : ` (${after < before ? "−" : "+"}${withUnit(Math.abs(after - before))})`;
  return `${withUnit(after)}${difference}`;
}
function withUnit(bytes) {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}
function code(text) {
  return `<code>${escape(shortened(text, LONGEST_TEXT))}</code>`;
}

// deploy/src/pages.ts
var STATES = {
  deploying: "in_progress",
  deployed: "success",
  promoted: "success",
  failed: "failure",
  cancelled: "failure"
};
var Pages = class {
  #github;
  #inputs;
  #run;
  #worker;
  #began;
  #deployment;
  /** @param began when the step began, in milliseconds since 1970 */
  constructor(github, inputs, run, worker2, began) {
    this.#github = github;
    this.#inputs = inputs;
    this.#run = run;
    this.#worker = worker2;
    this.#began = began;
  }
  /** Shows that the Worker is being deployed, and saves for the post step what it needs if this process is killed. */
  async begin() {
    await this.#attempt("The GitHub deployment was not created", async () => {
      if (!this.#inputs.hasGitHubDeployment) return;
      this.#deployment = await createDeployment(this.#github, this.#run, this.#environment(), this.#inputs);
      setVariable("GITHUB_STATE", "github_deployment", String(this.#deployment));
    });
    setVariable("GITHUB_STATE", "worker", this.#worker);
    setVariable("GITHUB_STATE", "began", String(this.#began));
    await this.#update(this.report("deploying"));
  }
  /** Continues in the post step of a step that began. */
  resume(deployment) {
    this.#deployment = deployment;
  }
  /** Shows how the step ended. */
  async end(report) {
    const claims = report.failure?.claims;
    addToSummary(htmlOf(report) + (claims === void 0 ? "" : claimsTable(claims)));
    await this.#update(report);
    setVariable("GITHUB_STATE", "ended", "true");
  }
  /** A report of this step. */
  report(status, details = {}) {
    const { commit, commitPage, log: log2 } = this.#run;
    const { environment, isPreview } = this.#inputs;
    return { status, worker: this.#worker, environment, commit, commitPage, log: log2, isPreview, ...details };
  }
  async #update(report) {
    await Promise.all([
      this.#attempt("The GitHub deployment was not updated", () => this.#updateDeployment(report)),
      this.#attempt("The comment was not updated", () => this.#updateComment(report))
    ]);
  }
  async #updateDeployment(report) {
    const { log: log2 } = this.#run;
    if (report.status === "deleted") return deactivateOthers(this.#github, this.#environment(), void 0, log2);
    if (this.#deployment === void 0) return;
    const url = report.deployment?.urls[0] ?? "";
    const description = report.failure?.title ?? "";
    await setStatus(this.#github, this.#deployment, STATES[report.status], log2, { url, description });
    const isReplaced = this.#inputs.isPreview && STATES[report.status] === "success";
    if (isReplaced) await deactivateOthers(this.#github, this.#environment(), this.#deployment, log2);
  }
  async #updateComment(report) {
    const { pullRequest } = this.#run;
    if (!this.#inputs.isPreview || pullRequest === void 0) return;
    const marker = { worker: this.#worker, began: this.#began };
    await keepComment(this.#github, pullRequest.number, marker, htmlOf(report), this.#run.action !== "closed");
  }
  #environment() {
    return environmentName(this.#worker, this.#inputs.environment, this.#inputs.isPreview);
  }
  async #attempt(title, action) {
    if (this.#inputs.githubToken === "") return;
    try {
      await action();
    } catch (error) {
      annotate("warning", title, error instanceof ActionFailure ? error.lines : [error instanceof Error ? error.message : String(error)]);
    }
  }
};

// deploy/src/run.ts
import { readFileSync } from "node:fs";
function runOf(variables) {
  const text = (name) => variables[name] ?? "";
  const event = eventOf(text("GITHUB_EVENT_PATH"));
  const repository = text("GITHUB_REPOSITORY");
  const pullRequest = object(event["pull_request"]);
  const head = object(pullRequest?.["head"]);
  const number = pullRequest?.["number"];
  const commit = typeof head?.["sha"] === "string" ? head["sha"] : text("GITHUB_SHA");
  const pages = `${text("GITHUB_SERVER_URL")}/${repository}`;
  const run = {
    event: text("GITHUB_EVENT_NAME"),
    action: string(event["action"]),
    repository,
    commit,
    commitPage: `${pages}/commit/${commit}`,
    log: `${pages}/actions/runs/${text("GITHUB_RUN_ID")}/attempts/${text("GITHUB_RUN_ATTEMPT")}`,
    label: string(object(event["label"])?.["name"]),
    pullRequest: void 0
  };
  if (typeof number !== "number" || !Number.isInteger(number)) return run;
  const source = object(head?.["repo"]);
  const id = source?.["id"];
  return {
    ...run,
    pullRequest: {
      number,
      headRepository: typeof id === "number" ? id : void 0,
      isFromFork: source?.["full_name"] !== repository
    }
  };
}
function eventOf(path) {
  if (path === "") return {};
  try {
    return object(JSON.parse(readFileSync(path, "utf8"))) ?? {};
  } catch {
    return {};
  }
}
function object(value) {
  return isObject(value) ? value : void 0;
}
function string(value) {
  return typeof value === "string" ? value : "";
}

// deploy/src/post.ts
await logOut(process.env);
var worker = process.env["STATE_worker"];
if (worker && process.env["STATE_ended"] !== "true") {
  try {
    const began = Number(process.env["STATE_began"]);
    const [inputs, run] = [inputsOf(process.env), runOf(process.env)];
    const github = new GitHub(realWorld, process.env["GITHUB_API_URL"] ?? "", run.repository, inputs.githubToken);
    const pages = new Pages(github, inputs, run, worker, began);
    const deployment = process.env["STATE_github_deployment"];
    pages.resume(deployment ? Number(deployment) : void 0);
    const lines = ["It was cancelled, or its runner was lost. The Worker may have been deployed."];
    await pages.end(pages.report("cancelled", { failure: new ActionFailure("The step did not end", lines) }));
  } catch (error) {
    annotate("warning", "The GitHub deployment was not updated", [error instanceof Error ? error.message : String(error)]);
  }
}
