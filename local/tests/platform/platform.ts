import http from "node:http";
import type { Duplex } from "node:stream";
import { after } from "node:test";

/** Reads a variable that says where the platform under test is. Without it there is nothing to test, which is a failure. */
function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === "")
    throw new Error(`${name} is not set: these tests need a platform that is running`);
  return value;
}

/** The REST API, as wrangler is pointed at it. */
export const BASE_URL = variable("CLOUDFLARE_API_BASE_URL");
/** The local token. */
export const TOKEN = variable("CLOUDFLARE_API_TOKEN");
/** The account. */
export const ACCOUNT = variable("CLOUDFLARE_ACCOUNT_ID");
/** The namespace that the tests deploy to; its host label is `dev`. */
export const NAMESPACE = "dotdo-development";

const SCRIPTS = `/accounts/${ACCOUNT}/workers/dispatch/namespaces/${NAMESPACE}/scripts`;

/** Cloudflare's envelope. */
export interface Envelope {
  readonly status: number;
  readonly success: boolean;
  readonly result: any;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
  readonly result_info?: { readonly count: number; readonly cursor?: string };
}

/** Calls the REST API, with the token unless the headers say otherwise. `path` begins after `/client/v4`. */
export async function call(method: string, path: string, init: RequestInit = {}): Promise<Envelope> {
  const headers = new Headers(init.headers);
  if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TOKEN}`);
  const response = await fetch(`${BASE_URL}${path}`, { ...init, method, headers });
  return { status: response.status, ...((await response.json()) as Omit<Envelope, "status">) };
}

/** Calls something of a script: `scriptCall("GET", "agents", "/settings")`. */
export async function scriptCall(method: string, script: string, path = "", init: RequestInit = {}): Promise<Envelope> {
  return await call(method, `${SCRIPTS}/${script}${path}`, init);
}

/** The same with a JSON body. */
export async function scriptJson(method: string, script: string, path: string, body: unknown): Promise<Envelope> {
  return await scriptCall(method, script, path, {
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
  });
}

/** A part of an upload: the text of an ES module, or a content type and content. */
export type Part = string | { readonly type: string; readonly content: string | Uint8Array<ArrayBuffer> };

/** The form of an upload. */
export function uploadForm(metadata: Record<string, unknown>, parts: Readonly<Record<string, Part>>): FormData {
  const form = new FormData();
  form.set("metadata", JSON.stringify(metadata));
  for (const [name, part] of Object.entries(parts)) {
    const { type, content } =
      typeof part === "string" ? { type: "application/javascript+module", content: part } : part;
    form.set(name, new File([content], name, { type }));
  }
  return form;
}

/** Deploys a script whose main module is `index.js`, unless the metadata says otherwise. */
export async function deploy(
  script: string,
  parts: Readonly<Record<string, Part>>,
  metadata: Record<string, unknown> = {},
  query = "",
): Promise<Envelope> {
  const main = "body_part" in metadata || Object.keys(parts).length === 0 ? {} : { main_module: "index.js" };
  const body = uploadForm({ ...main, compatibility_date: "2026-01-01", ...metadata }, parts);
  return await scriptCall("PUT", script, query, { body });
}

/** What a user Worker answered. */
export interface Visit {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** Requests a user Worker through the dispatch Worker, under the host of its namespace. */
export async function visit(
  script: string,
  path = "/",
  headers: http.OutgoingHttpHeaders = {},
  sent: Sent = {},
): Promise<Visit> {
  return await visitHost(`dev.${script}.do`, path, headers, sent);
}

/** What a request sends: nothing with `GET`, unless it says otherwise. */
export interface Sent {
  readonly method?: string;
  readonly body?: Uint8Array | string;
}

/** Requests any host through the dispatch Worker. */
export async function visitHost(
  host: string,
  path = "/",
  headers: http.OutgoingHttpHeaders = {},
  { method = "GET", body }: Sent = {},
): Promise<Visit> {
  const { hostname, port } = new URL(BASE_URL);
  return await new Promise((resolve, reject) => {
    const options = { hostname, port, path, method, agent: false, headers: { ...headers, host } };
    const request = http.request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** A WebSocket to a user Worker, for text messages of less than 126 bytes. Node's WebSocket cannot set the host. */
export class Connection {
  readonly #socket: Duplex;
  readonly #chunks: AsyncIterator<Buffer>;
  #received = Buffer.alloc(0);

  /** Connects through the dispatch Worker. */
  static async open(script: string, path = "/"): Promise<Connection> {
    const { hostname, port } = new URL(BASE_URL);
    const request = http.get({
      hostname,
      port,
      path,
      agent: false,
      headers: {
        host: `dev.${script}.do`,
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
      },
    });
    const socket = await new Promise<Duplex>((resolve, reject) => {
      request.on("upgrade", (_response, socket, head) => {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      });
      request.on("response", ({ statusCode }) => reject(new Error(`no WebSocket: status ${statusCode}`)));
      request.on("error", reject);
    });
    return new Connection(socket);
  }

  private constructor(socket: Duplex) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    after(() => socket.destroy());
  }

  send(text: string): void {
    const payload = Buffer.from(text);
    // With the mask 0, the payload is sent as it is.
    this.#socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  }

  /** The next text message; `null` when the connection ends. */
  async receive(): Promise<string | null> {
    for (;;) {
      const [opcode = 0, size = 0] = this.#received;
      if (this.#received.length >= 2 && this.#received.length >= 2 + size) {
        const payload = this.#received.subarray(2, 2 + size);
        this.#received = this.#received.subarray(2 + size);
        if (opcode === 0x81) return payload.toString();
        if (opcode === 0x88) return null;
        continue;
      }
      const { value, done } = await this.#chunks.next();
      if (done) return null;
      this.#received = Buffer.concat([this.#received, value]);
    }
  }

  close(): void {
    this.#socket.end(Buffer.from([0x88, 0x80, 0, 0, 0, 0]));
  }
}

let names = 0;

/** A name that no other test uses. The script is deleted when the tests of the file are through. */
export function scriptName(): string {
  names += 1;
  const name = `t${process.pid}-${names}`;
  after(() => scriptCall("DELETE", name));
  return name;
}

/** A module that answers with `expression`, in which `request`, `env` and `context` are known. */
export function answering(expression: string): string {
  return `export default { async fetch(request, env, context) { return Response.json(${expression}); } };`;
}
