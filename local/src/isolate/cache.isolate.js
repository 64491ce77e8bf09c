// Defines `caches`, which the runtime does not define in a loaded isolate. It calls the host entrypoint `UserCache`, whose stub is
// removed from `env` before the script runs.
import { env } from "cloudflare:workers";
import names from "./__local_platform__names.js";

const host = env[names.stubs.cache];
delete env[names.stubs.cache];

class Cache {
  #name;
  constructor(name) {
    this.#name = name;
  }
  match(request, options) {
    return host.match(this.#name, new Request(request), options);
  }
  put(request, response) {
    return host.put(this.#name, new Request(request), response);
  }
  delete(request, options) {
    return host.remove(this.#name, new Request(request), options);
  }
}

globalThis.caches = { default: new Cache(null), open: async (name) => new Cache(String(name)) };
