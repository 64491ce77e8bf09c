// Custom hostnames: read from KV; hits and misses are cached for a minute.

import { BINDINGS, invalidWorker, ofName, otherEnvironment } from "./environments";
import { Failure } from "./failure";
import type { Route } from "./routing";

const LIFETIME_MS = 60_000;
const CAPACITY = 1024;

interface Entry {
  route?: Route;
  invalid?: string;
  until: number;
}

export class Hostnames {
  readonly #entries = new Map<string, Entry>();
  readonly #namespace: KVNamespace;

  constructor(namespace: KVNamespace) {
    this.#namespace = namespace;
  }

  async route(host: string): Promise<Route | undefined> {
    const known = this.#entries.get(host);
    const entry = known && known.until > Date.now() ? known : await this.#read(host);
    if (entry.invalid) {
      const detail = "the routing configuration cannot be loaded";
      throw new Failure("CONFIGURATION_INVALID", detail, `HOSTNAMES, the entry of ${host}: ${entry.invalid}`);
    }
    return entry.route;
  }

  async #read(host: string): Promise<Entry> {
    const found = await this.#namespace.get([`hostname:${host}`, host]);
    const value = found.get(`hostname:${host}`) ?? found.get(host);
    const entry: Entry = { until: Date.now() + LIFETIME_MS };
    if (typeof value === "string") {
      try {
        entry.route = parse(host, value.trim());
      } catch (error) {
        entry.invalid = String(error);
      }
    }
    if (this.#entries.size >= CAPACITY) this.#entries.clear();
    this.#entries.set(host, entry);
    return entry;
  }
}

function parse(host: string, value: string): Route {
  const written = value.startsWith("{") ? JSON.parse(value) : { worker: value };
  const reason = invalidWorker(String(written.worker));
  if (reason) throw new Error(`\`${written.worker}\` is not a valid Worker name: ${reason}`);
  const environment = ofName(written.environment ?? "production");
  if (!environment) throw new Error(`\`${written.environment}\` is not an environment`);
  if (!written.environment && otherEnvironment(host, "production")) throw new Error("the host names an environment");
  const { limits, outbound } = written;
  const options = limits || outbound
    ? { limits: limits && { cpuMs: limits.cpu_ms, subRequests: limits.subrequests }, outbound }
    : undefined;
  return { environment, binding: BINDINGS[environment], worker: written.worker, rule: "HOSTNAMES", options };
}
