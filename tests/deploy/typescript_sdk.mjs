// Cloudflare's TypeScript SDK as a client of the deploy API. Makes one call and prints its result as JSON:
//
//     node typescript_sdk.mjs deploy|get|settings|bindings|tags|secrets|delete NAME
//
// Prints `{"status", "codes"}` of a rejected call. The environment has BASE_URL, TOKEN, ACCOUNT and NAMESPACE; for `deploy`,
// METADATA (JSON) and SOURCE.
import Cloudflare from "cloudflare";

const { ACCOUNT, BASE_URL, METADATA, NAMESPACE, SOURCE, TOKEN } = process.env;
const [call, name] = process.argv.slice(2);
const client = new Cloudflare({ apiToken: TOKEN, baseURL: BASE_URL, maxRetries: 0 });
const { scripts } = client.workersForPlatforms.dispatch.namespaces;
const place = { account_id: ACCOUNT, dispatch_namespace: NAMESPACE };

async function all(pages) {
  const items = [];
  for await (const item of pages) items.push(item);
  return items;
}

function source(path) {
  return new File([SOURCE], path, { type: "application/javascript+module" });
}

const CALLS = {
  deploy: () =>
    scripts.update(name, {
      ...place,
      bindings_inherit: "strict",
      metadata: JSON.parse(METADATA),
      files: [source("index.js")],
    }),
  "deploy-by-path": () =>
    scripts.update(name, { ...place, metadata: JSON.parse(METADATA), files: { "lib/index.js": source("index.js") } }),
  get: () => scripts.get(name, place),
  settings: () => scripts.settings.get(name, place),
  bindings: () => all(scripts.bindings.get(name, place)),
  tags: () => all(scripts.tags.list(name, place)),
  secrets: () => all(scripts.secrets.list(name, place)),
  delete: () => scripts.delete(name, place),
  "delete-forced": () => scripts.delete(name, { ...place, force: true }),
};

try {
  console.log(JSON.stringify((await CALLS[call]()) ?? null));
} catch (error) {
  if (!(error instanceof Cloudflare.APIError)) throw error;
  console.log(JSON.stringify({ status: error.status, codes: error.errors.map(({ code }) => code) }));
}
