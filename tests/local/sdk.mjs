// A client of the local REST API that is none of ours: Cloudflare's SDK. Arguments: the namespace.
import assert from "node:assert/strict";
import Cloudflare, { NotFoundError, toFile } from "cloudflare";

const { CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID: account_id } = process.env;
const [, , dispatch_namespace] = process.argv;
const client = new Cloudflare({ baseURL: CLOUDFLARE_BASE_URL, apiToken: CLOUDFLARE_API_TOKEN, maxRetries: 0 });
const { namespaces } = client.workersForPlatforms.dispatch;
const { scripts } = namespaces;
const script = { account_id, dispatch_namespace };
const NAME = "by-sdk";

/** Every element of a list. */
async function all(page) {
  const elements = [];
  for await (const element of page) elements.push(element);
  return elements;
}

async function module(source) {
  return await toFile(Buffer.from(source), "index.js", { type: "application/javascript+module" });
}

async function deploy(source, more = {}) {
  const metadata = { main_module: "index.js", compatibility_date: "2026-01-01", ...more };
  return await scripts.update(NAME, { ...script, metadata, files: [await module(source)] });
}

const listed = await all(namespaces.list({ account_id }));
assert.ok(listed.some(({ namespace_name }) => namespace_name === dispatch_namespace), JSON.stringify(listed));
const namespace = await namespaces.get(dispatch_namespace, { account_id });
assert.equal(namespace.namespace_name, dispatch_namespace);

const deployed = await deploy("export default { fetch(request, env) { return new Response(env.GREETING); } };", {
  bindings: [{ type: "plain_text", name: "GREETING", text: "hello" }],
  tags: ["sdk"],
});
assert.equal(deployed.id, NAME);
const shown = await scripts.get(NAME, script);
assert.equal(shown.script.id, NAME);
assert.equal(shown.dispatch_namespace, dispatch_namespace);

assert.deepEqual(await all(scripts.tags.list(NAME, script)), ["sdk"]);
await all(scripts.tags.update(NAME, { ...script, body: ["sdk", "more"] }));
await scripts.tags.delete("more", { ...script, script_name: NAME });
assert.deepEqual(await all(scripts.tags.list(NAME, script)), ["sdk"]);

await scripts.secrets.update(NAME, { ...script, name: "KEY", text: "value", type: "secret_text" });
assert.deepEqual((await all(scripts.secrets.list(NAME, script))).map(({ name }) => name), ["KEY"]);
assert.equal((await scripts.secrets.get("KEY", { ...script, script_name: NAME })).name, "KEY");

const bindings = await all(scripts.bindings.get(NAME, script));
assert.deepEqual(bindings.map(({ name }) => name).sort(), ["GREETING", "KEY"]);
const settings = await scripts.settings.get(NAME, script);
assert.equal(settings.compatibility_date, "2026-01-01");
const edited = await scripts.settings.edit(NAME, {
  ...script,
  settings: { bindings: [{ type: "plain_text", name: "GREETING", text: "goodbye" }, { type: "inherit", name: "KEY" }] },
});
assert.deepEqual(edited.bindings.map(({ name }) => name).sort(), ["GREETING", "KEY"]);

const content = await scripts.content.get(NAME, script);
assert.match(await content.text(), /env\.GREETING/);
await scripts.content.update(NAME, {
  ...script,
  metadata: { main_module: "index.js" },
  files: [await module("export default { fetch(request, env) { return new Response(`${env.GREETING} ${env.KEY}`); } };")],
});
const answer = await ask();
assert.equal(answer, "goodbye value");

await scripts.secrets.delete("KEY", { ...script, script_name: NAME });
assert.deepEqual(await all(scripts.secrets.list(NAME, script)), []);

await scripts.delete(NAME, { ...script, force: true });
await assert.rejects(scripts.get(NAME, script), (error) => {
  assert.ok(error instanceof NotFoundError, String(error));
  assert.equal(error.errors[0].code, 10092);
  return true;
});
await deploy("export default { fetch() { return new Response('left by the SDK'); } };");

/** The script's answer, through the dispatch Worker. */
async function ask() {
  const { request } = await import("node:http");
  return await new Promise((resolve, reject) => {
    const call = request(`${process.env.PLATFORM}/`, { headers: { Host: `dev.${NAME}.do` } }, (response) => {
      response.setEncoding("utf8");
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(text));
    });
    call.on("error", reject);
    call.end();
  });
}
