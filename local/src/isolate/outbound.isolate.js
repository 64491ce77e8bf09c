// Keeps a script's requests to other Workers of the platform on this machine: `fetch` of a host under `.do` calls the host entrypoint
// `DispatchedFetch`, whose stub is removed from `env` before the script runs.
import { env } from "cloudflare:workers";

const STUB = "__local_platform__fetch";
const host = env[STUB];
delete env[STUB];

function isDispatched(input) {
  try {
    return /\.do\.?$/.test(new URL(input instanceof Request ? input.url : String(input)).hostname);
  } catch {
    return false;
  }
}

const runtimeFetch = globalThis.fetch;
globalThis.fetch = function fetch(input, init) {
  return isDispatched(input) ? host.fetch(input, init) : runtimeFetch(input, init);
};
