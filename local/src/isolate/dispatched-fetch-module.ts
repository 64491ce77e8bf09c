/**
 * The module that keeps a script's requests to other Workers of the platform on this machine: `fetch` of a host under
 * `.do` goes to the dispatcher and never to the real one. `channel` is the name under which `env` holds the far end.
 */
export function dispatchedFetchModule(channel: string): string {
  return `
import { env } from "cloudflare:workers";
const channel = env[${JSON.stringify(channel)}];
delete env[${JSON.stringify(channel)}];

function isDispatched(input) {
  try {
    return /\\.do\\.?$/.test(new URL(input instanceof Request ? input.url : String(input)).hostname);
  } catch {
    return false;
  }
}

const outside = globalThis.fetch;
globalThis.fetch = function fetch(input, init) {
  return isDispatched(input) ? channel.fetch(input, init) : outside(input, init);
};
`;
}
