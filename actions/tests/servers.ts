/** An issuer of OIDC tokens and a deploy API on loopback, whose answers a test sets. */

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A request to one of the servers. */
export interface Seen {
  method: string;
  path: string;
  authorization: string | undefined;
  body: string;
}

export interface Answer {
  status?: number;
  headers?: Record<string, string>;
  /** Sent as JSON, or as it is if it is a text. */
  body: unknown;
}

/** The deploy token of the next answer. */
export const TOKEN = "dotdo_run_07070707070707070707070707070707070707078f820fde";
export const ACCOUNT = "0123456789abcdef0123456789abcdef";

/** What the deploy API answers to a run that may deploy. */
export const ISSUED: Answer = {
  body: { token: TOKEN, id: "0123456789abcdef", expires: "2026-11-24T12:15:00Z", uses: 100, account: ACCOUNT, rules: ["agents"], grants: [] },
};

/** Claims of a run; a real token has more. */
export const CLAIMS = { iss: "https://token.actions.githubusercontent.com", aud: "dotdo-deploy", repository: "drivly/agents" };

export class Servers {
  readonly seen: Seen[] = [];
  /** The answers to the next exchanges; the last one is repeated. */
  exchanges: Answer[] = [ISSUED];
  /** The answer to a revocation. */
  revocation: Answer = { body: { revoked: true } };
  /** The answer to the request of an OIDC token; undefined for a new token. */
  issuer: Answer | undefined;
  claims: Record<string, unknown> = CLAIMS;
  /** The answers to other calls, by the method and the path; the last one is repeated. */
  answers: Record<string, Answer[]> = {};
  readonly #server: Server;
  #tokens = 0;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const body = await read(request);
      const path = request.url ?? "";
      this.seen.push({ method: request.method ?? "", path, authorization: request.headers.authorization, body });
      const others = this.answers[`${request.method} ${path}`];
      const answer = (others && others.length > 1 ? others.shift() : others?.[0]) ?? this.#answer(path);
      response.writeHead(answer.status ?? 200, answer.headers);
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    });
  }

  static async start(): Promise<Servers> {
    const servers = new Servers();
    await new Promise<void>((resolve) => servers.#server.listen(0, "127.0.0.1", resolve));
    return servers;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The variables of a job that may request OIDC tokens. */
  get variables(): Record<string, string> {
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${this.origin}/_apis/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "of-the-runner",
    };
  }

  /** The OIDC tokens that were exchanged. */
  get exchanged(): string[] {
    return this.seen.filter(({ path }) => path === "/v1/tokens/exchange").map(({ body }) => JSON.parse(body).token);
  }

  #answer(path: string): Answer {
    if (path.startsWith("/_apis/token")) return this.issuer ?? { body: { value: this.#nextToken() } };
    if (path === "/v1/tokens/exchange") return (this.exchanges.length > 1 ? this.exchanges.shift() : this.exchanges[0]) ?? ISSUED;
    if (path === "/v1/tokens/self") return this.revocation;
    return { status: 404, body: "not found" };
  }

  #nextToken(): string {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    this.#tokens += 1;
    return [part({ alg: "RS256" }), part({ ...this.claims, jti: this.#tokens }), "c2lnbmF0dXJl"].join(".");
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function read(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of request) body += chunk;
  return body;
}
