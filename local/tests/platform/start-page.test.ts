import assert from "node:assert/strict";
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
