// A deploy, the reads and the deletion of one Worker with Cloudflare's TypeScript SDK. Prints the results as one JSON object.
import Cloudflare from "cloudflare";

const [name, dispatch_namespace] = process.argv.slice(2);
const client = new Cloudflare({
  apiToken: process.env.CLOUDFLARE_API_TOKEN,
  baseURL: process.env.CLOUDFLARE_API_BASE_URL,
  maxRetries: 0,
});
const { scripts } = client.workersForPlatforms.dispatch.namespaces;
const place = { account_id: process.env.CLOUDFLARE_ACCOUNT_ID, dispatch_namespace };

async function listed(page) {
  const items = [];
  for await (const item of page) items.push(item);
  return items;
}

const source = "export default { fetch(request, env) { return new Response(env.MODE); } };";
const deployed = await scripts.update(name, {
  ...place,
  metadata: {
    main_module: "index.js",
    compatibility_date: "2026-10-19",
    bindings: [
      { type: "plain_text", name: "MODE", text: "of the SDK" },
      { type: "secret_text", name: "KEY", text: "hunter2" },
    ],
    tags: ["sdk"],
  },
  files: [new File([source], "index.js", { type: "application/javascript+module" })],
});
const result = {
  deployed: deployed.id,
  script: (await scripts.get(name, place)).script?.id,
  settings: await scripts.settings.get(name, place),
  bindings: await listed(scripts.bindings.get(name, place)),
  tags: await listed(scripts.tags.list(name, place)),
  secrets: await listed(scripts.secrets.list(name, place)),
};
await scripts.secrets.update(name, { ...place, name: "ONE", text: "1", type: "secret_text" });
await scripts.secrets.bulkUpdate(name, { ...place, secrets: { ONE: null, TWO: { name: "TWO", text: "2", type: "secret_text" } } });
result.changed = (await listed(scripts.secrets.list(name, place))).map((secret) => secret.name).sort();
if (process.env.DELETE === "true") {
  await scripts.delete(name, place);
  result.absent = await scripts.get(name, place).then(() => null, (error) => error.errors?.[0]?.code ?? String(error));
}
console.log(JSON.stringify(result));
