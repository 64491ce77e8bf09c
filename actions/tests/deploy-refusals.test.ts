import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { COMMIT, Fixture, pullRequest } from "./deploy-job.ts";
import { storeArtifact, zip } from "./github/artifacts.ts";
import { TOKEN } from "./servers.ts";

test("a run that cannot deploy is told why, before anything is deployed", async (t) => {
  const job = await Fixture.of(t);
  const target = { GITHUB_EVENT_NAME: "pull_request_target" };
  const label = `preview ${COMMIT}`;
  const other = "2222222222222222222222222222222222222222";
  for (const [event, inputs, variables, permissions, title] of [
    [pullRequest({ from: "someone/agents" }), "preview: true", {}, "contents: read", "Runs for pull requests from forks get no OIDC token"],
    [pullRequest(), "preview: true", {}, "contents: read", "The job may not request an OIDC token"],
    [{}, "preview: true", { GITHUB_EVENT_NAME: "push" }, "id-token: write", "A preview is for a pull request"],
    [pullRequest({ from: "someone/agents" }), "preview: true", target, "id-token: write", "A run of pull_request_target must not build a pull request"],
    [pullRequest(), "preview: true", target, "id-token: write", "A run of pull_request_target must not build a pull request"],
    [pullRequest({ from: "someone/agents" }), "preview: true, artifact: m", target, "id-token: write", "No label allows the preview of this commit"],
    [pullRequest({ from: "someone/agents", action: "labeled", label: "preview" }), "preview: true, artifact: m", target, "id-token: write", "No label allows the preview of this commit"],
    [pullRequest({ from: "someone/agents", action: "labeled", label, head: other }), "preview: true, artifact: m", target, "id-token: write", "No label allows the preview of this commit"],
    [pullRequest(), "environment: development", target, "id-token: write", "A run of pull_request_target must not build a pull request"],
    [pullRequest(), "", {}, "id-token: write", "The input environment is not valid"],
    [pullRequest(), "environment: qa", {}, "id-token: write", "The input environment is not valid"],
    [pullRequest(), "preview: true, environment: production", {}, "id-token: write", "The input environment is not valid"],
    [pullRequest(), "preview: true, config: --env", {}, "id-token: write", "The input config is not valid"],
    [pullRequest(), "preview: true, dotdo: /does/not/exist", {}, "id-token: write", "The input dotdo is not a program"],
  ] as const) {
    const refused = await job.run(event, inputs, variables, permissions);
    assert.ok(!refused.succeeded);
    assert.deepEqual(refused.annotations.map((annotation) => annotation.title), [title]);
    assert.match(refused.summary, /Deploy failed/);
  }
  assert.deepEqual(job.calls.filter((call) => call.startsWith("npx")), []);
  assert.deepEqual(new Set(job.github.calls), new Set(["pulls/get"]));
});

test("the login of an earlier step is used, and a Cloudflare token without a deploy API is not", async (t) => {
  const job = await Fixture.of(t);
  const deploy = "      - uses: drivly/dispatch.do/actions/deploy@v1\n        with: { preview: true }";
  const login = `      - uses: drivly/dispatch.do/actions/login@v1\n        with: { api: "${job.servers.origin}" }`;
  const logged = await job.runSteps(pullRequest(), `${login}\n${deploy}`, {}, "id-token: write");
  assert.ok(logged.succeeded, logged.log);
  assert.equal(job.servers.exchanged.length, 1);
  assert.match(readFileSync(join(job.folder, "bin", "env"), "utf8"), new RegExp(`^CLOUDFLARE_API_BASE_URL=${job.servers.origin}/client/v4$`, "m"));
  // wrangler's error is shown in a comment, where the runner masks nothing.
  job.wrangler('echo "✘ [ERROR] refused: $CLOUDFLARE_API_TOKEN" >&2; exit 1', "none");
  for (const steps of [`${login}\n${deploy}`, deploy.replace("preview: true", `preview: true, api: "${job.servers.origin}"`)]) {
    const failed = await job.runSteps(pullRequest(), steps, {}, "id-token: write");
    assert.deepEqual(failed.annotations.map(({ message }) => message), ["refused: ***"]);
    assert.match(job.github.commentsIn(12)[0]?.body ?? "", /refused: \*\*\*/);
    assert.ok(!failed.summary.includes(TOKEN), failed.summary);
    job.github.stored.comments = [];
  }
  const calls = job.calls.length;
  for (const [variables, reason] of [
    [{}, /There is no deploy token\./],
    [{ CLOUDFLARE_API_TOKEN: "of-cloudflare", CLOUDFLARE_ACCOUNT_ID: "x" }, /is not one of a deploy API/],
    [{ CLOUDFLARE_API_KEY: "k", CLOUDFLARE_EMAIL: "e" }, /wrangler would use CLOUDFLARE_API_KEY/],
  ] as const) {
    const refused = await job.runSteps(pullRequest(), deploy, variables, "id-token: write");
    assert.ok(!refused.succeeded);
    assert.match(refused.annotations[0]?.message ?? "", reason);
  }
  assert.equal(job.calls.length, calls);
});

test("the artifact of a fork is deployed only for the commit of the label, from a run for that commit of that fork", async (t) => {
  const job = await Fixture.of(t);
  const { stored } = job.github;
  const files = zip([{ path: "index.js", content: "export default {}" }, { path: "lib/0f-data.bin", content: "x" }]);
  const labeled = pullRequest({ from: "someone/agents", action: "labeled", label: `preview ${COMMIT}` });
  const run = () => job.run(labeled, "preview: true, artifact: modules", { GITHUB_EVENT_NAME: "pull_request_target" });
  // Builds of another commit, of another fork, and one with another name.
  storeArtifact(stored, "modules", files, "3333333333333333333333333333333333333333", 4004);
  storeArtifact(stored, "modules", files, COMMIT, 5005);
  storeArtifact(stored, "other", files, COMMIT, 4004);
  const missing = await run();
  assert.deepEqual(missing.annotations.map(({ title }) => title), ["There is no build of this commit"]);

  storeArtifact(stored, "modules", files, COMMIT, 4004);
  job.wrangler('cat "$4" "$(dirname "$4")/lib/0f-data.bin"', "first");
  const deployed = await run();
  assert.ok(deployed.succeeded && deployed.log.includes("export default {}"), deployed.log);
  assert.match(job.calls.at(-1) ?? "", /^npx --no-install wrangler deploy \S+\/index\.js --no-bundle --config wrangler\.json --name agents-pr-12 --dispatch-namespace dotdo-development$/);
  // Neither the credential of GitHub nor a way to more tokens reaches wrangler.
  const environment = readFileSync(join(job.folder, "bin", "env"), "utf8");
  assert.doesNotMatch(environment, /INPUT_|ACTIONS_ID_TOKEN_REQUEST|ghs_/);

  // The entry has the name of main, also where wrangler does not change it.
  stored.artifacts = [];
  storeArtifact(stored, "modules", zip([{ path: "other.js", content: "x" }]), COMMIT, 4004);
  const nameless = await run();
  assert.equal(nameless.annotations[0]?.title, "The artifact does not have the entry");
  assert.match(nameless.annotations[0]?.message ?? "", /main .* is "src\/index\.ts", so the artifact must have index\.js\. It has other\.js\./);
  stored.artifacts = [];
  storeArtifact(stored, "modules", zip([{ path: "other.mjs", content: "x" }]), COMMIT, 4004);
  job.dotdo(JSON.stringify({ file: "wrangler.json", name: "agents", main: "dist/other.mjs", findings: [] }));
  const renamed = await run();
  assert.ok(renamed.succeeded, renamed.log);
  assert.match(job.calls.at(-1) ?? "", /\/other\.mjs --no-bundle --config wrangler\.json/);
});
