/**
 * The module that gives a script `caches`, which the runtime does not give to a loaded isolate. `channel` is the name under
 * which `env` holds the far end, an entrypoint of the platform; the script never sees it.
 */
export function cacheModule(channel: string): string {
  return `
import { env } from "cloudflare:workers";
const channel = env[${JSON.stringify(channel)}];
delete env[${JSON.stringify(channel)}];

class Cache {
  #name;
  constructor(name) { this.#name = name; }
  match(request, options) { return channel.match(this.#name, new Request(request), options); }
  put(request, response) { return channel.put(this.#name, new Request(request), response); }
  delete(request, options) { return channel.remove(this.#name, new Request(request), options); }
}

globalThis.caches = { default: new Cache(null), open: async (name) => new Cache(String(name)) };
`;
}
