import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BASE_URL, answering, deploy, scriptName } from "./platform.ts";

const { origin, port } = new URL(BASE_URL);

test("a browser on the bare name sees what is deployed where", async () => {
  const name = scriptName();
  await deploy(name, { "index.js": answering("1") });
  const page = await fetch(origin, { headers: { accept: "text/html" } });
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  const text = await page.text();
  assert.ok(text.includes(`href="http://dev.${name}.localhost:${port}/"`), text);
  for (const namespace of ["dotdo-production", "dotdo-staging", "dotdo-development"])
    assert.ok(text.includes(namespace), namespace);
  // The commands refer to the credentials of this instance, not to those of another one.
  const [, file = ""] = /cp &#34;([^&]+)&#34; examples\/hello\/\.env/.exec(text) ?? [];
  assert.ok(readFileSync(file, "utf8").includes(`CLOUDFLARE_API_BASE_URL=${BASE_URL}\n`), file);
});

test("the start page shows the id that wrangler printed", async () => {
  const name = scriptName();
  const deployed = await deploy(name, { "index.js": answering("0") });
  const shown = async () => await (await fetch(origin, { headers: { accept: "text/html" } })).text();
  assert.ok((await shown()).includes(`<code>${deployed.result.deployment_id}</code>`));
  // The deploy API returns the id of its deployment, and marks the script with it.
  const id = crypto.randomUUID();
  await deploy(name, { "index.js": answering("1") }, { tags: [`dotdo-deployment-${id.replaceAll("-", "")}`] });
  assert.ok((await shown()).includes(`<code>${id}</code>`));
});

test("anything else on the bare name is the dispatcher's", async () => {
  for (const [path, accept] of [
    ["/", "*/*"],
    ["/page", "text/html"],
  ] as const) {
    const answer = await fetch(origin + path, { headers: { accept } });
    assert.notEqual(answer.status, 200, path);
  }
});
