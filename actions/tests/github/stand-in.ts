/**
 * A stand-in for GitHub's REST API on loopback: deployments, comments, and artifacts of runs. It refuses requests that differ from GitHub's
 * description, and its own responses are checked with it.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { type Call, checkResponse, describedCall, InvalidRequest } from "./description.ts";

/** The credential that this server accepts: that of the job. */
export const GITHUB_TOKEN = "ghs_of_the_job_0123456789";

/** The user of {@link GITHUB_TOKEN}. */
const BOT = { login: "github-actions[bot]", type: "Bot" };

/** A credential of a person, who may write to the repository. */
export const PERSONAL_TOKEN = "github_pat_of_a_person_0123456789";

/** The user of {@link PERSONAL_TOKEN}. */
const PERSON = { login: "maintainer", type: "User" };

/** The longest body of a comment, in characters. */
const LONGEST_COMMENT = 65_536;

export interface Comment {
  id: number;
  issue: number;
  body: string;
  user: { login: string; type: string };
  author_association: string;
}

export interface Deployment {
  id: number;
  environment: string;
  sha: string;
  request: Record<string, unknown>;
  statuses: Record<string, unknown>[];
}

export interface WorkflowRun {
  id: number;
  head_sha: string;
  event: string;
  status: string;
  path: string;
  head_repository: { id: number };
}

export interface Artifact {
  id: number;
  run: number;
  name: string;
  expired: boolean;
  size_in_bytes: number;
  /** The ZIP archive in base64. */
  archive: string;
}

export interface PullRequest {
  number: number;
  state: "open" | "closed";
  /** The commit of its head. */
  head: string;
  labels: string[];
}

/** What GitHub stores for one repository. */
export class Stored {
  comments: Comment[] = [];
  deployments: Deployment[] = [];
  runs: WorkflowRun[] = [];
  artifacts: Artifact[] = [];
  pulls: PullRequest[] = [];
  /** The next id. */
  next = 1000;
}

interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

const notFound: Reply = { status: 404, body: { message: "Not Found", documentation_url: "https://docs.github.com/rest" } };

export class GitHub {
  readonly stored: Stored;
  /** The operations of the requests, in their order. */
  readonly calls: string[] = [];
  /** The requests that were refused, and why. */
  readonly invalid: string[] = [];
  /** Operations for which the token lacks the permission. */
  forbidden: string[] = [];
  /** The next answers to operations, in place of their usual ones. */
  faults: { operation: string; status: number; message?: string }[] = [];
  /** Called before an operation is executed. */
  before: (operation: string) => Promise<void> = async () => undefined;
  readonly #server: Server;

  private constructor(stored: Stored) {
    this.stored = stored;
    this.#server = createServer(async (request, response) => {
      const reply = await this.#answer(request);
      send(response, reply);
    });
  }

  static async start(stored = new Stored()): Promise<GitHub> {
    const github = new GitHub(stored);
    await new Promise<void>((resolve) => github.#server.listen(0, "127.0.0.1", resolve));
    return github;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** An event of a pull request, after which it is as the event says. */
  receive(event: Record<string, unknown>): void {
    const { number, head } = (event["pull_request"] ?? {}) as { number?: number; head?: { sha: string } };
    if (number === undefined || head === undefined) return;
    const label = event["label"] as { name: string } | undefined;
    const state = event["action"] === "closed" ? "closed" : "open";
    const others = this.stored.pulls.filter((one) => one.number !== number);
    this.stored.pulls = [...others, { number, state, head: head.sha, labels: label === undefined ? [] : [label.name] }];
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The comments of people and of the actions in one pull request. */
  commentsIn(issue: number): Comment[] {
    return this.stored.comments.filter((comment) => comment.issue === issue);
  }

  async #answer(request: IncomingMessage): Promise<Reply> {
    const url = new URL(request.url ?? "", this.origin);
    const body = await read(request);
    if (url.pathname.startsWith("/_storage/")) return this.#archive(url, request);
    const refused = (status: number, message: string): Reply => {
      this.invalid.push(`${request.method} ${url.pathname}: ${message}`);
      return { status, body: { message } };
    };
    const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
    if (token !== GITHUB_TOKEN && token !== PERSONAL_TOKEN) return refused(401, "Bad credentials");
    // https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api
    const { "user-agent": agent, accept, "x-github-api-version": version, "content-type": type } = request.headers;
    if (!agent) return refused(403, "Request forbidden by administrative rules: the User-Agent is missing");
    if (accept !== "application/vnd.github+json") return refused(415, `Unsupported 'Accept' header: ${accept}`);
    if (version !== "2022-11-28") return refused(400, `Unsupported API version: ${String(version)}`);
    if (body !== "" && type !== "application/json") return refused(415, `Unsupported Content-Type: ${type}`);
    let call: Call;
    try {
      call = describedCall(request.method ?? "", url, body);
    } catch (error) {
      if (error instanceof InvalidRequest) return refused(422, error.message);
      throw error;
    }
    this.calls.push(call.operation);
    await this.before(call.operation);
    const fault = this.faults.findIndex(({ operation }) => operation === call.operation);
    const [injected] = fault < 0 ? [] : this.faults.splice(fault, 1);
    if (injected) return { status: injected.status, body: { message: injected.message ?? "Injected" } };
    if (this.forbidden.includes(call.operation)) return { status: 403, body: { message: "Resource not accessible by integration" } };
    const reply = this.#execute(call, token);
    checkResponse(call.operation, reply.status, reply.body);
    return reply;
  }

  #execute({ operation, parameters, body }: Call, token: string): Reply {
    const { stored } = this;
    const number = (name: string) => Number(parameters[name]);
    switch (operation) {
      case "issues/list-comments":
        return { status: 200, body: page(this.commentsIn(number("issue_number")), parameters).map(shownComment) };
      case "issues/create-comment": {
        const text = String(body["body"]);
        if (text.length > LONGEST_COMMENT) return { status: 422, body: { message: "Validation Failed" } };
        const comment = { id: stored.next++, issue: number("issue_number"), body: text, user: token === GITHUB_TOKEN ? BOT : PERSON, author_association: "NONE" };
        stored.comments.push(comment);
        return { status: 201, body: shownComment(comment) };
      }
      case "issues/update-comment": {
        const comment = stored.comments.find(({ id }) => id === number("comment_id"));
        if (comment === undefined) return notFound;
        if (String(body["body"]).length > LONGEST_COMMENT) return { status: 422, body: { message: "Validation Failed" } };
        comment.body = String(body["body"]);
        return { status: 200, body: shownComment(comment) };
      }
      case "issues/delete-comment": {
        const index = stored.comments.findIndex(({ id }) => id === number("comment_id"));
        if (index < 0) return notFound;
        stored.comments.splice(index, 1);
        return { status: 204 };
      }
      case "pulls/get": {
        const pull = stored.pulls.find((one) => one.number === number("pull_number"));
        if (pull === undefined) return notFound;
        const { state, head, labels } = pull;
        return { status: 200, body: { number: pull.number, state, head: { sha: head }, labels: labels.map((name) => ({ name })) } };
      }
      case "users/get-authenticated": {
        const forbidden = { status: 403, body: { message: "Resource not accessible by integration" } };
        // The second member distinguishes it from the answer to another user.
        return token === GITHUB_TOKEN ? forbidden : { status: 200, body: { login: PERSON.login, two_factor_authentication: true } };
      }
      case "repos/create-deployment": {
        // GitHub merges the default branch, and waits for the checks of the commit, unless the request says otherwise.
        if (body["auto_merge"] !== false) return { status: 202, body: { message: "Auto-merged the default branch" } };
        const contexts = body["required_contexts"];
        if (!Array.isArray(contexts) || contexts.length > 0) return { status: 409, body: { message: "Conflict: Commit status checks" } };
        const deployment = {
          id: stored.next++,
          environment: String(body["environment"] ?? "production"),
          sha: String(body["ref"]),
          request: body,
          statuses: [],
        };
        stored.deployments.push(deployment);
        return { status: 201, body: shownDeployment(deployment) };
      }
      case "repos/list-deployments": {
        const matching = stored.deployments.filter(
          ({ environment, sha }) => (parameters["environment"] ?? environment) === environment && (parameters["sha"] ?? sha) === sha,
        );
        return { status: 200, body: page(matching.toReversed(), parameters).map(shownDeployment) };
      }
      case "repos/create-deployment-status": {
        const deployment = stored.deployments.find(({ id }) => id === number("deployment_id"));
        if (deployment === undefined) return notFound;
        if (String(body["description"] ?? "").length > 140) return { status: 422, body: { message: "description is too long" } };
        deployment.statuses.push(body);
        return { status: 201, body: { id: stored.next++, state: body["state"] } };
      }
      case "repos/list-deployment-statuses": {
        const deployment = stored.deployments.find(({ id }) => id === number("deployment_id"));
        if (deployment === undefined) return notFound;
        return { status: 200, body: page(deployment.statuses.toReversed(), parameters).map(({ state }) => ({ state })) };
      }
      case "actions/list-workflow-runs-for-repo": {
        const { head_sha: sha, event, status } = parameters;
        const matching = stored.runs.filter(
          (run) => (sha ?? run.head_sha) === run.head_sha && (event ?? run.event) === run.event && (status ?? run.status) === run.status,
        );
        return { status: 200, body: { total_count: matching.length, workflow_runs: page(matching, parameters) } };
      }
      case "actions/list-workflow-run-artifacts": {
        const matching = stored.artifacts.filter(({ run, name }) => run === number("run_id") && name === (parameters["name"] ?? name));
        const artifacts = page(matching, parameters).map(({ id, name, expired, size_in_bytes }) => ({ id, name, expired, size_in_bytes }));
        return { status: 200, body: { total_count: matching.length, artifacts } };
      }
      case "actions/download-artifact": {
        const location = `${this.origin}/_storage/${parameters["artifact_id"]}?signature=of-the-storage`;
        return { status: 302, headers: { Location: location } };
      }
      default:
        throw new Error(`the stand-in does not have ${operation}`);
    }
  }

  /** The storage of the archives, which is another server than the API: it must not get the credential. */
  #archive(url: URL, request: IncomingMessage): Reply {
    if (request.headers.authorization !== undefined) {
      this.invalid.push("the credential was sent to the storage");
      return { status: 400 };
    }
    const artifact = this.stored.artifacts.find(({ id }) => `/_storage/${id}` === url.pathname);
    return artifact ? { status: 200, body: Buffer.from(artifact.archive, "base64") } : notFound;
  }
}

function page<T>(items: readonly T[], parameters: Record<string, string>): T[] {
  const size = Number(parameters["per_page"] ?? 30);
  const start = (Number(parameters["page"] ?? 1) - 1) * size;
  return items.slice(start, start + Math.min(size, 100));
}

function shownComment({ id, body, user, author_association }: Comment): unknown {
  return { id, body, user, author_association, html_url: `https://github.com/drivly/agents/pull/1#issuecomment-${id}` };
}

function shownDeployment({ id, environment, sha }: Deployment): unknown {
  return { id, environment, sha, ref: sha };
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  response.writeHead(status, headers);
  if (body === undefined) response.end();
  else if (Buffer.isBuffer(body)) response.end(body);
  else response.end(JSON.stringify(body));
}

async function read(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}
