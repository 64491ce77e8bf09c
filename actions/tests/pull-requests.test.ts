import assert from "node:assert/strict";
import { test } from "node:test";

import { COMMIT, Fixture, pullRequest, WORKERS } from "./deploy-job.ts";
import { storeArtifact, zip } from "./github/artifacts.ts";
import type { PullRequest } from "./github/stand-in.ts";

const OTHER = "2222222222222222222222222222222222222222";

/** Changes the pull request before GitHub is asked for it for the n-th time. */
function change(job: Fixture, changed: Partial<PullRequest>, time = 1): void {
  let count = 0;
  job.github.before = async (operation) => {
    if (operation === "pulls/get" && ++count === time) Object.assign(job.github.stored.pulls[0] ?? {}, changed);
  };
}

function deletions(job: Fixture): number {
  return job.servers.seen.filter(({ method, path }) => method === "DELETE" && path === `${WORKERS}/agents-pr-12`).length;
}

function deploys(job: Fixture): number {
  return job.calls.filter((call) => call.startsWith("npx")).length;
}

test("a run that was started again does not deploy to a closed pull request, or an old commit", async (t) => {
  const job = await Fixture.of(t);
  for (const [changed, title, text] of [
    [{ state: "closed" }, "The pull request is closed", /this run would create it again/],
    [{ head: OTHER }, "The pull request has another commit by now", new RegExp(`Its head is ${OTHER}, and this run is for ${COMMIT}`)],
  ] as const) {
    change(job, changed);
    const refused = await job.run(pullRequest(), "preview: true");
    assert.ok(!refused.succeeded);
    assert.deepEqual(refused.annotations.map((annotation) => annotation.title), [title]);
    assert.match(refused.summary, text);
  }
  assert.equal(deploys(job), 0);
  assert.deepEqual([job.github.stored.comments, job.github.stored.deployments], [[], []]);
});

test("a preview whose pull request was closed during the deploy is deleted, and one that was opened again is kept", async (t) => {
  const job = await Fixture.of(t);
  change(job, { state: "closed" }, 2);
  const closed = await job.run(pullRequest(), "preview: true");
  assert.ok(closed.succeeded && closed.log.includes("closed during the deploy: deleted the preview agents-pr-12"), closed.log);
  assert.deepEqual([deploys(job), deletions(job)], [1, 1]);
  assert.match(job.github.commentsIn(12)[0]?.body ?? "", /<b>deleted<\/b>/);
  assert.deepEqual(job.states, [["in_progress", "inactive"]]);

  change(job, { state: "open" });
  const opened = await job.run(pullRequest({ action: "closed" }), "preview: true");
  assert.ok(opened.succeeded && opened.log.includes("The pull request is open again"), opened.log);
  assert.equal(deletions(job), 1);
});

test("without the permission to read the pull request, a preview is deployed with a warning", async (t) => {
  const job = await Fixture.of(t);
  job.github.forbidden = ["pulls/get"];
  const finished = await job.run(pullRequest(), "preview: true");
  assert.ok(finished.succeeded, finished.log);
  assert.deepEqual(finished.annotations.map(({ level, title }) => [level, title]), [["warning", "The pull request cannot be read"]]);
  assert.match(finished.annotations[0]?.message ?? "", /Add `pull-requests: read`/);
});

test("the preview of a fork needs the label of its commit until it is deployed", async (t) => {
  const job = await Fixture.of(t);
  storeArtifact(job.github.stored, "modules", zip([{ path: "index.js", content: "x" }]), COMMIT, 4004);
  const labeled = pullRequest({ from: "someone/agents", action: "labeled", label: `preview ${COMMIT}` });
  const run = () => job.run(labeled, "preview: true, artifact: modules", { GITHUB_EVENT_NAME: "pull_request_target" });
  for (const [changed, title] of [
    [{ labels: [] }, "The label of this commit was removed"],
    [{ labels: [`preview ${OTHER}`] }, "The label of this commit was removed"],
    [{ head: OTHER }, "The pull request has another commit by now"],
    [{ state: "closed" }, "The pull request is closed"],
  ] as const) {
    change(job, changed as Partial<PullRequest>);
    const refused = await run();
    assert.ok(!refused.succeeded);
    assert.deepEqual(refused.annotations.map((annotation) => annotation.title), [title]);
  }
  change(job, {});
  job.github.forbidden = ["pulls/get"];
  const unknown = await run();
  assert.ok(!unknown.succeeded && unknown.summary.includes("GitHub refused a request"), unknown.summary);
  assert.equal(deploys(job), 0);

  job.github.forbidden = [];
  // After the deploy, it is only a warning.
  const faults = [500, 500, 500].map((status) => ({ operation: "pulls/get", status }));
  job.wrangler("true", "first");
  let count = 0;
  job.github.before = async (operation) => {
    if (operation === "pulls/get" && ++count === 2) job.github.faults = faults;
  };
  const deployed = await run();
  assert.ok(deployed.succeeded, deployed.log);
  assert.deepEqual(deployed.annotations.map(({ title }) => title), ["The pull request cannot be read"]);
});
