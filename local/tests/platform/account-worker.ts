import { after } from "node:test";
import { ACCOUNT, call, uploadForm, visitHost, type Envelope, type Part, type Visit } from "./platform.ts";

/** The path of account Workers in the REST API. */
export const WORKERS = `/accounts/${ACCOUNT}/workers`;

/** Calls something of an account Worker: `workerCall("GET", "agents", "/settings")`. */
export async function workerCall(method: string, worker: string, path = "", body?: unknown): Promise<Envelope> {
  const init = body === undefined ? {} : body instanceof FormData ? { body } : { body: JSON.stringify(body) };
  return await call(method, `${WORKERS}/scripts/${worker}${path}`, init);
}

/** Deploys an account Worker and enables its address. */
export async function deployWorker(
  worker: string,
  modules: Readonly<Record<string, Part>>,
  metadata: Record<string, unknown> = {},
): Promise<Envelope> {
  const form = uploadForm({ main_module: "index.js", compatibility_date: "2026-01-01", ...metadata }, modules);
  const deployed = await workerCall("PUT", worker, "", form);
  if (deployed.success) await workerCall("POST", worker, "/subdomain", { enabled: true });
  return deployed;
}

let names = 0;

/** A name that no other test uses. The Worker is deleted when the tests of the file are through. */
export function workerName(): string {
  names += 1;
  const name = `a${process.pid}-${names}`;
  after(() => workerCall("DELETE", name));
  return name;
}

/** Requests an account Worker at its address. */
export async function visitWorker(worker: string, path = "/"): Promise<Visit> {
  return await visitHost(`${worker}.workers.dev.localhost:8787`, path);
}
