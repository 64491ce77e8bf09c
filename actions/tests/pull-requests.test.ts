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
  const refused = async (changed: Partial<PullRequest>, title: string, text: RegExp) => {
    const job = await Fixture.of(t);
    change(job, changed);
    const finished = await job.run(pullRequest(), "preview: true");
    assert.ok(!finished.succeeded);
    assert.deepEqual(finished.annotations.map((annotation) => annotation.title), [title]);
    assert.match(finished.summary, text);
    assert.equal(deploys(job), 0);
    assert.deepEqual([job.github.stored.comments, job.github.stored.deployments], [[], []]);
  };
  const other = new RegExp(`Its head is ${OTHER}, and this run is for ${COMMIT}`);
  await Promise.all([
    refused({ state: "closed" }, "The pull request is closed", /this run would create it again/),
    refused({ head: OTHER }, "The pull request has another commit by now", other),
  ]);
});

test("an answer of GitHub that is older than the event is read again", async (t) => {
  const ran = async (event: Parameters<typeof pullRequest>[0], old: Partial<PullRequest>, now: Partial<PullRequest>) => {
    const job = await Fixture.of(t);
    let count = 0;
    job.github.before = async (operation) => {
      if (operation === "pulls/get") Object.assign(job.github.stored.pulls[0] ?? {}, ++count === 1 ? old : now);
    };
    const finished = await job.run(pullRequest(event), "preview: true");
    assert.ok(finished.succeeded, finished.log);
    return job;
  };
  const [deployed, deleted] = await Promise.all([ran({}, { head: OTHER }, { head: COMMIT }), ran({ action: "closed" }, { state: "open" }, { state: "closed" })]);
  assert.equal(deploys(deployed), 1);
  assert.equal(deletions(deleted), 1);
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
  const labeled = pullRequest({ from: "someone/agents", action: "labeled", label: `preview ${COMMIT}` });
  const fork = async () => {
    const job = await Fixture.of(t);
    storeArtifact(job.github.stored, "modules", zip([{ path: "index.js", content: "x" }]), COMMIT, 4004);
    return { job, run: () => job.run(labeled, "preview: true, artifact: modules", { GITHUB_EVENT_NAME: "pull_request_target" }) };
  };
  const refused = async (changed: Partial<PullRequest>, title: string) => {
    const { job, run } = await fork();
    change(job, changed);
    const finished = await run();
    assert.ok(!finished.succeeded);
    assert.deepEqual(finished.annotations.map((annotation) => annotation.title), [title]);
    assert.equal(deploys(job), 0);
  };
  await Promise.all([
    refused({ labels: [] }, "The label of this commit was removed"),
    refused({ labels: [`preview ${OTHER}`] }, "The label of this commit was removed"),
    refused({ head: OTHER }, "The pull request has another commit by now"),
    refused({ state: "closed" }, "The pull request is closed"),
  ]);

  const { job, run } = await fork();
  job.github.forbidden = ["pulls/get"];
  const unknown = await run();
  assert.ok(!unknown.succeeded && unknown.summary.includes("GitHub refused a request"), unknown.summary);
  assert.equal(deploys(job), 0);
  // After the deploy, it is only a warning.
  job.github.forbidden = [];
  let count = 0;
  job.github.before = async (operation) => {
    if (operation === "pulls/get" && ++count === 2) job.github.forbidden = ["pulls/get"];
  };
  const deployed = await run();
  assert.ok(deployed.succeeded, deployed.log);
  assert.deepEqual(deployed.annotations.map(({ title }) => title), ["The pull request cannot be read"]);
});
