import { ActionFailure } from "../../step/failure.ts";
import { isObject, problemOf, request, REQUEST_TIMEOUT, type Reply } from "../../step/http.ts";
import { retried } from "../../step/retries.ts";
import type { Credentials } from "./credentials.ts";
import type { World } from "./github.ts";

const SERVER = "The deploy API";

/** How long a call may take that changes or inspects a Worker, in milliseconds: it can wait for another change. */
const LONG = 9 * REQUEST_TIMEOUT;

/** The pauses before the Worker is verified again, in milliseconds. */
const PAUSES = [1000, 2000, 4000];

/** A deployment, as far as people need it. */
export interface Deployment {
  id: string;
  /** The addresses of the Worker. */
  urls: string[];
  /** The size of its modules in bytes. */
  size: number;
  /** The start-up time in milliseconds; undefined if it was not measured. */
  startup: number | undefined;
  /** The types of the bindings by their names. */
  bindings: Map<string, string>;
  /** The digests of the modules by their names. */
  modules: Map<string, string>;
  /** The id of the deployment before it; undefined for the first one. */
  previous: string | undefined;
  /** When the deploy API deletes a preview that is not deployed again; undefined if it is none. */
  expires?: string | undefined;
  /** Warnings about the upload, which wrangler does not print. */
  warnings: { code: string; message: string }[];
}

/** The deploy API, for one Worker. */
export class DeployApi {
  readonly #world: World;
  readonly #credentials: Credentials;
  readonly #path: string;

  constructor(world: World, credentials: Credentials, namespace: string, worker: string) {
    this.#world = world;
    this.#credentials = credentials;
    this.#path = `/v1/namespaces/${namespace}/workers/${encodeURIComponent(worker)}`;
  }

  /** A deployment; undefined if the token may not read it, or there is none. */
  async deployment(id: string): Promise<Deployment | undefined> {
    const reply = await this.#call("GET", `/deployments/${encodeURIComponent(id)}`, [403, 404]);
    return reply.status === 200 ? deploymentOf(reply.json) : undefined;
  }

  /**
   * Sends a request through the dispatch Worker. Returns why the deployment is not served; undefined if it is.
   *
   * Throws an {@link ActionFailure} if the token may not read the Worker.
   */
  async verify(id: string): Promise<string | undefined> {
    for (const pause of [...PAUSES, undefined]) {
      const { json } = await this.#call("POST", "/verify", []);
      const { verified, recorded_deployment: recorded, reason } = isObject(json) ? json : {};
      // A later deploy replaced this one.
      if (verified === true && recorded !== id) return `Deployment ${String(recorded)} replaced it.`;
      if (verified === true) return undefined;
      if (pause === undefined) return typeof reason === "string" ? reason : "The deploy API gives no reason.";
      await this.#world.pause(pause);
    }
    return undefined;
  }

  /** Deletes the Worker. Returns whether there was one. */
  async delete(): Promise<boolean> {
    return (await this.#call("DELETE", "", [404])).status === 200;
  }

  async #call(method: string, path: string, accepted: number[]): Promise<Reply> {
    const { api, token } = this.#credentials;
    const url = new URL(this.#path + path, api);
    const init = { method, headers: { Authorization: `Bearer ${token}`, Accept: "application/json" } };
    const reply = await retried(this.#world.pause, () => request(this.#world.send, SERVER, url, init, LONG));
    if (reply.status < 400 || accepted.includes(reply.status)) return reply;
    const problem = problemOf(reply.json);
    throw new ActionFailure(problem?.title ?? "The deploy API refused a request", [
      problem?.detail ?? `${method} ${url} was answered with the status ${reply.status}.`,
      ...(problem?.notes ?? []),
      ...(problem?.fix ? [problem.fix] : []),
      ...(problem?.request_id ? [`Request: ${problem.request_id}`] : []),
    ]);
  }
}

/** Reads a deployment. `undefined` if it is not one. */
export function deploymentOf(json: unknown): Deployment | undefined {
  if (!isObject(json) || typeof json["id"] !== "string") return undefined;
  const { id, urls, size, startup_time_ms: startup, previous, bundle } = json;
  const items = (value: unknown) => (Array.isArray(value) ? value.filter(isObject) : []);
  const content = isObject(bundle) ? bundle : {};
  const expires = isObject(json["preview"]) ? json["preview"]["expires"] : undefined;
  return {
    id,
    urls: Array.isArray(urls) ? urls.map(String) : [],
    size: Number(size),
    startup: typeof startup === "number" ? startup : undefined,
    bindings: new Map(items(content["bindings"]).map(({ name, type }) => [String(name), String(type)])),
    modules: new Map(items(content["modules"]).map(({ name, sha256 }) => [String(name), String(sha256)])),
    previous: typeof previous === "string" ? previous : undefined,
    expires: typeof expires === "string" ? expires : undefined,
    warnings: items(json["warnings"]).map(({ code, message }) => ({ code: String(code), message: String(message) })),
  };
}
