import { ActionFailure, TransientFailure } from "../../step/failure.ts";
import { isObject, request, REQUEST_TIMEOUT, type Reply, type Send } from "../../step/http.ts";
import { retried } from "../../step/retries.ts";

/** The version of the API: https://docs.github.com/rest/about-the-rest-api/api-versions */
const VERSION = "2022-11-28";

/** The most items of a page. */
const PAGE = 100;

const SERVER = "GitHub's API";

/** How tokens of apps begin: https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github */
const TOKEN_OF_APP = "ghs_";

/** The network, which tests replace. */
export interface World {
  send: Send;
  pause: (milliseconds: number) => Promise<unknown>;
}

/** A member of an object that GitHub returned. */
export type Item = Record<string, unknown>;

/** GitHub's REST API for one repository, with the token of the job. */
export class GitHub {
  readonly #world: World;
  readonly #api: string;
  readonly #base: string;
  readonly #token: string;
  readonly #headers: Record<string, string>;

  /**
   * @param api `GITHUB_API_URL`
   * @param repository `OWNER/NAME`
   */
  constructor(world: World, api: string, repository: string, token: string) {
    this.#world = world;
    this.#api = api;
    this.#base = `${api}/repos/${repository}`;
    this.#token = token;
    this.#headers = {
      Accept: "application/vnd.github+json",
      Authorization: `Bearer ${token}`,
      "User-Agent": "drivly/dispatch.do",
      "X-GitHub-Api-Version": VERSION,
    };
  }

  /** The object of an answer. */
  get(path: string, query: Record<string, string> = {}): Promise<Item> {
    return retried(this.#world.pause, () => this.#send("GET", path, query, undefined));
  }

  /** The name of the user of the token; undefined for a token of an app, such as that of the job. */
  async user(): Promise<string | undefined> {
    if (this.#token.startsWith(TOKEN_OF_APP)) return undefined;
    const { login } = await retried(this.#world.pause, () => this.#sendTo("GET", new URL(`${this.#api}/user`), undefined));
    return typeof login === "string" ? login : undefined;
  }

  /** One page of a list. */
  async list(path: string, query: Record<string, string>, page = 1): Promise<Item[]> {
    const all = { per_page: String(PAGE), page: String(page), ...query };
    const { items } = await retried(this.#world.pause, () => this.#send("GET", path, all, undefined));
    return Array.isArray(items) ? items.filter(isObject) : [];
  }

  /** All pages of a list. */
  async all(path: string): Promise<Item[]> {
    const found: Item[] = [];
    for (let page = 1; ; page += 1) {
      const items = await this.list(path, {}, page);
      found.push(...items);
      if (items.length < PAGE) return found;
    }
  }

  /** Creates something. It is not repeated, because the first request may have succeeded. */
  post(path: string, body: unknown): Promise<Item> {
    return this.#send("POST", path, {}, body);
  }

  patch(path: string, body: unknown): Promise<Item> {
    return retried(this.#world.pause, () => this.#send("PATCH", path, {}, body));
  }

  /** Deletes something, unless it does not exist any more. */
  async delete(path: string): Promise<void> {
    await retried(this.#world.pause, () => this.#send("DELETE", path, {}, undefined, [404]));
  }

  /**
   * Downloads what an address of the API leads to, without the token: it is on another server.
   *
   * Throws an {@link ActionFailure} if it is longer than `longest` bytes.
   */
  download(path: string, longest: number): Promise<Buffer> {
    return retried(this.#world.pause, async () => {
      try {
        return await this.#downloadOnce(new URL(this.#base + path), longest);
      } catch (error) {
        throw error instanceof ActionFailure ? error : new TransientFailure(`${SERVER} does not answer: ${String(error)}.`);
      }
    });
  }

  async #downloadOnce(url: URL, longest: number): Promise<Buffer> {
    const signal = AbortSignal.timeout(6 * REQUEST_TIMEOUT);
    const leading = await this.#world.send(url, { headers: this.#headers, redirect: "manual", signal });
    const location = leading.headers.get("location");
    if (leading.status !== 302 || location === null) throw refusal("GET", url, { status: leading.status, json: undefined });
    const response = await this.#world.send(new URL(location), { redirect: "error", signal });
    if (response.status !== 200 || response.body === null) throw refusal("GET", url, { status: response.status, json: undefined });
    const parts: Uint8Array[] = [];
    let length = 0;
    for await (const part of response.body) {
      length += part.length;
      if (length > longest) throw new ActionFailure("The artifact is too large", [`It has more than ${longest} bytes.`]);
      parts.push(part);
    }
    return Buffer.concat(parts);
  }

  async #send(method: string, path: string, query: Record<string, string>, body: unknown, accepted: number[] = []): Promise<Item> {
    const url = new URL(this.#base + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return await this.#sendTo(method, url, body, accepted);
  }

  async #sendTo(method: string, url: URL, body: unknown, accepted: number[] = []): Promise<Item> {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const headers = body === undefined ? this.#headers : { ...this.#headers, "Content-Type": "application/json" };
    const reply = await request(this.#world.send, SERVER, url, { method, headers, ...content }, REQUEST_TIMEOUT);
    if (reply.status >= 400 && !accepted.includes(reply.status)) throw refusal(method, url, reply);
    if (Array.isArray(reply.json)) return { items: reply.json };
    return isObject(reply.json) ? reply.json : {};
  }
}

/** The permissions of a job that a refused call needs, by a part of its path. */
const PERMISSIONS = [
  ["/deployments", "deployments: write"],
  ["/comments", "pull-requests: write"],
  ["/pulls/", "pull-requests: read"],
  ["/actions/", "actions: read"],
] as const;

function refusal(method: string, url: URL, reply: Reply): ActionFailure {
  const message = isObject(reply.json) && typeof reply.json["message"] === "string" ? `: ${reply.json["message"]}` : "";
  const lines = [`${method} ${url.origin}${url.pathname} was answered with the status ${reply.status}${message}.`];
  const permission = PERMISSIONS.find(([part]) => url.pathname.includes(part))?.[1];
  // The same statuses have other reasons: a limit of the rate, or a locked conversation.
  const isRefused = (reply.status === 403 || reply.status === 404) && (message === "" || /not accessible|not found/i.test(message));
  if (/rate limit/i.test(message)) lines.push("GitHub limits the requests of all jobs of the repository. Run the job again later.");
  if (isRefused && permission !== undefined) {
    lines.push(`Add \`${permission}\` to the permissions of the job, and of the job that calls a reusable workflow.`);
  }
  if (reply.status === 401) lines.push("The input github-token is not valid. By default, it is the token of the job.");
  return new ActionFailure("GitHub refused a request", lines);
}
