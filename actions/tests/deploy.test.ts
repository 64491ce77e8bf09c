import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { COMMIT, Fixture, pullRequest, WORKERS } from "./deploy-job.ts";
import { GITHUB_TOKEN } from "./github/stand-in.ts";
import { TOKEN } from "./servers.ts";

test("a preview is deployed, updated and deleted, with one comment, and without a token in a log or file", async (t) => {
  const job = await Fixture.of(t);
  job.records("first", null, [{ name: "KV", type: "kv_namespace" }]);
  const begin = performance.now();
  const first = await job.run(pullRequest({ action: "opened" }), "preview: true");
  t.diagnostic(`main step without wrangler's work, and post step: ${Math.round(performance.now() - begin)} ms`);
  assert.ok(first.succeeded, first.log);
  assert.equal(first.outputs["url"], "https://dev.agents-pr-12.do");
  assert.equal(first.outputs["id"], "first");
  assert.deepEqual(job.calls.at(-1), "npx --no-install wrangler deploy --name agents-pr-12 --dispatch-namespace dotdo-development");
  const [comment] = job.github.commentsIn(12);
  for (const text of ["agents-pr-12", "<b>deployed</b>", "https://dev.agents-pr-12.do", `<a href="https://github.com/drivly/agents/commit/${COMMIT}">`, "1.0 kB", "7 ms", "2026-12-12T18:00:00Z, unless", "added <code>KV (kv_namespace)</code>"]) {
    assert.ok(comment?.body.includes(text), `${text}: ${comment?.body}`);
    assert.ok(text === "agents-pr-12" || first.summary.includes(text), first.summary);
  }
  const [created] = job.github.stored.deployments;
  assert.deepEqual(
    { environment: created?.environment, sha: created?.sha, request: created?.request["transient_environment"] },
    { environment: "preview/agents-pr-12", sha: COMMIT, request: true },
  );
  const { log_url: log, environment_url: url } = created?.statuses.at(-1) ?? {};
  assert.deepEqual([log, url], ["https://github.com/drivly/agents/actions/runs/42/attempts/1", "https://dev.agents-pr-12.do"]);

  // The token is in no log, and in no file but the state for the post step, which revoked it.
  for (const secret of [TOKEN, GITHUB_TOKEN]) assert.ok(!first.log.includes(secret), first.log);
  rmSync(join(job.folder, "bin", "env"));
  assert.deepEqual([job.filesWith(TOKEN), job.filesWith(GITHUB_TOKEN)], [["GITHUB_STATE"], []]);
  assert.equal(job.servers.seen.at(-1)?.path, "/v1/tokens/self");

  job.wrangler("true", "second");
  job.records("second", "first", [{ name: "DB", type: "d1" }], 2500);
  const second = await job.run(pullRequest(), "preview: true");
  assert.ok(second.succeeded, second.log);
  const changes = JSON.parse(String(second.outputs["changes"]));
  assert.deepEqual(changes.bindings, { added: ["DB"], removed: ["KV"], changed: [] });
  assert.deepEqual(changes.size, { before: 1000, after: 2500 });
  const after = job.github.commentsIn(12);
  assert.deepEqual(after.map(({ id }) => id), [comment?.id]);
  for (const text of ["added <code>DB (d1)</code>", "removed <code>KV</code>", "+1.5 kB"]) assert.ok(after[0]?.body.includes(text), after[0]?.body);
  assert.deepEqual(job.states, [["in_progress", "success", "inactive"], ["in_progress", "success"]]);

  const calls = job.calls.length;
  for (const log of ["Deleted the preview agents-pr-12", "There is no preview agents-pr-12"]) {
    const closed = await job.run(pullRequest({ action: "closed" }), "preview: true");
    assert.ok(closed.succeeded && closed.log.includes(log), closed.log);
  }
  assert.ok(job.calls.slice(calls).every((call) => call.startsWith("dotdo check")), job.calls.join("\n"));
  assert.deepEqual(job.states.at(-1), ["in_progress", "success", "inactive"]);
  assert.deepEqual(job.github.commentsIn(12).map(({ id }) => id), [comment?.id]);
  assert.match(job.github.commentsIn(12)[0]?.body ?? "", /<b>deleted<\/b>/);

  // A pull request without a preview gets no comment.
  job.github.stored.comments = [];
  const never = await job.run(pullRequest({ action: "closed" }), "preview: true");
  assert.ok(never.succeeded && job.github.stored.comments.length === 0, never.log);
});

test("a refused deploy is an annotation, a failed GitHub deployment, and a comment that says why", async (t) => {
  const job = await Fixture.of(t);
  job.wrangler('printf "::error title=x::injected\\n##[error]y\\n✘ [ERROR] A <b>request</b> failed.\\n  @everyone No rule. [code: 740103]\\n\\n  🪵  Logs were written to x\\n" >&2; exit 1', "none");
  const failed = await job.run(pullRequest(), "preview: true");
  assert.ok(!failed.succeeded);
  assert.deepEqual(
    failed.annotations.map(({ level, title, message }) => [level, title, message]),
    [["error", "wrangler could not deploy the Worker", "A <b>request</b> failed.\n@everyone No rule. [code: 740103]"]],
  );
  assert.deepEqual(job.states, [["in_progress", "failure"]]);
  const [comment] = job.github.commentsIn(12);
  assert.match(comment?.body ?? "", /<b>failed<\/b>.*<code>A &lt;b&gt;request&lt;\/b&gt; failed\.<\/code>.*<code>@everyone No rule/);
  assert.match(failed.summary, /740103/);

  job.dotdo(JSON.stringify({ file: "x", name: "agents", main: null, findings: [{ level: "error", place: "triggers.crons", what: "It has cron triggers.", fix: "Remove them." }] }), "");
  const refused = await job.run(pullRequest(), "preview: true");
  assert.match(refused.annotations[0]?.message ?? "", /triggers\.crons: It has cron triggers\.\nRemove them\./);
  assert.ok(!refused.succeeded && job.calls.filter((call) => call.startsWith("npx")).length === 1, "wrangler ran");

  job.dotdo(JSON.stringify({ file: "x", name: "agents", main: null, findings: [] }));
  job.wrangler('echo "npm error npx canceled due to missing packages and no YES option" >&2; exit 1', "none");
  const missing = await job.run(pullRequest(), "preview: true");
  assert.equal(missing.annotations[0]?.title, "wrangler is not installed");

  job.dotdo(JSON.stringify({ file: "x", name: "a --> b", main: null, findings: [] }));
  const misnamed = await job.run(pullRequest(), "preview: true");
  assert.equal(misnamed.annotations[0]?.title, "The name of the Worker is not valid");
});

test("a Worker that is not served fails the step after some tries", async (t) => {
  const job = await Fixture.of(t);
  const path = `POST ${WORKERS}/agents-pr-12/verify`;
  job.servers.answers[path] = [
    { body: { verified: false, recorded_deployment: "first", reason: "No answer." } },
    { body: { verified: true, recorded_deployment: "first", reason: null } },
  ];
  const late = await job.run(pullRequest(), "preview: true");
  assert.ok(late.succeeded, late.log);
  job.servers.answers[path] = [{ body: { verified: true, recorded_deployment: "other", reason: null } }];
  const replaced = await job.run(pullRequest(), "preview: true");
  assert.match(replaced.annotations[0]?.message ?? "", /Deployment other replaced it\./);
  assert.deepEqual(job.states.at(-1), ["in_progress", "failure"]);
});

test("without permissions on GitHub, or with GitHub failing, the Worker is deployed, with warnings", async (t) => {
  const job = await Fixture.of(t);
  job.github.forbidden = ["repos/create-deployment", "issues/create-comment"];
  const finished = await job.run(pullRequest(), "preview: true");
  assert.ok(finished.succeeded, finished.log);
  const warnings = finished.annotations.map(({ level, message }) => `${level} ${message}`);
  for (const permission of ["deployments: write", "pull-requests: write"]) {
    assert.ok(warnings.some((warning) => warning.startsWith("warning") && warning.includes(permission)), warnings.join("\n"));
  }
  job.github.forbidden = [];
  for (const operation of ["repos/create-deployment", "repos/create-deployment-status", "issues/list-comments"]) {
    // GETs are repeated after a status of 500.
    for (const status of operation.includes("list") ? [404, 422] : [404, 422, 500]) {
      job.github.faults = [1, 2].map(() => ({ operation, status }));
      const degraded = await job.run(pullRequest(), "preview: true");
      assert.ok(degraded.succeeded && degraded.outputs["url"] !== "", degraded.log);
      assert.ok(degraded.annotations.length > 0 && degraded.annotations.every(({ level }) => level === "warning"), `${operation} ${status}`);
    }
  }
  job.github.stored.comments = [];
  job.github.faults = [{ operation: "issues/list-comments", status: 502 }];
  const repeated = await job.run(pullRequest(), "preview: true");
  assert.ok(repeated.succeeded && repeated.annotations.length === 0, repeated.log);
  assert.equal(job.github.commentsIn(12).length, 1);
});

test("a step that is killed is shown as failed by the post step, and its token is revoked", async (t) => {
  const job = await Fixture.of(t);
  job.wrangler("sleep 1; kill -9 $PPID; sleep 60", "none");
  const killed = await job.run(pullRequest(), "preview: true");
  assert.ok(!killed.succeeded);
  assert.deepEqual(job.states, [["in_progress", "failure"]]);
  assert.match(job.github.commentsIn(12)[0]?.body ?? "", /<b>cancelled<\/b>/);
  assert.equal(job.servers.seen.at(-1)?.path, "/v1/tokens/self");
});

test("a cancelled step ends all processes of wrangler", async (t) => {
  const job = await Fixture.of(t);
  // A process of wrangler, which the runner does not know, would go on.
  job.wrangler('(sleep 2; touch "$(dirname "$0")/survived") & kill -INT $PPID; wait', "none");
  const cancelled = await job.run(pullRequest(), "preview: true");
  assert.ok(!cancelled.succeeded);
  assert.match(job.github.commentsIn(12)[0]?.body ?? "", /<b>cancelled<\/b>/);
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.ok(!existsSync(join(job.folder, "bin", "survived")));
});

test("a promotion of a deployment with many modules is read to its end", async (t) => {
  const job = await Fixture.of(t);
  job.recordsIn("production", "agents");
  const modules = Array.from({ length: 3000 }, (_, number) => ({ name: `${number}.js`, sha256: "0".repeat(64), size: 1 }));
  job.dotdo(JSON.stringify({ id: "first", urls: [], size: 3000, bundle: { bindings: [], modules }, warnings: [] }));
  const promoted = await job.run({}, "environment: production, promote-from: staging, worker: agents", { GITHUB_EVENT_NAME: "push" });
  assert.ok(promoted.succeeded && promoted.log.includes("agents is promoted: deployment first"), promoted.log);
});

test("the result of wrangler is found among other lines in its file", async (t) => {
  const job = await Fixture.of(t);
  job.wrangler('printf "not JSON\\n{}\\n" >> "$WRANGLER_OUTPUT_FILE_PATH"', "first");
  const deployed = await job.run(pullRequest(), "preview: true");
  assert.ok(deployed.succeeded, deployed.log);
  job.program("npx", "exit 0");
  const silent = await job.run(pullRequest(), "preview: true");
  assert.equal(silent.annotations[0]?.title, "wrangler reports no deployment");
});
