import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { parse } from "yaml";

import { COMMIT, Fixture, pullRequest } from "./deploy-job.ts";
import { type Contexts, interpolated } from "./expressions.ts";
import { isMet, type Job, REPOSITORY } from "./job-runner.ts";

const WORKFLOWS = ["worker", "preview", "fork-build", "fork-preview"];

function jobsOf(workflow: string): Record<string, Job & { concurrency?: { group: string } }> {
  return parse(readFileSync(join(REPOSITORY, `.github/workflows/${workflow}.yml`), "utf8")).jobs;
}

function group(workflow: string, job: string, contexts: Contexts): unknown {
  return interpolated(jobsOf(workflow)[job]?.concurrency?.group, contexts);
}

/** The contexts of a run for the pull request of a fork. */
function ofFork(action: string, label: string, state = "open", run = "1"): Contexts {
  const event = { action, label: { name: label }, pull_request: { number: 12, state, head: { sha: COMMIT, repo: { full_name: "someone/agents" } } } };
  const github = { event, event_name: "pull_request_target", repository: "drivly/agents", run_id: run };
  return { github, inputs: { "working-directory": ".", config: "" }, status: { success: true } };
}

test("jobs have the same concurrency group exactly if they change the same Worker", () => {
  const push = (folder: string, config: string) => ({
    github: { ref: "refs/heads/main", event: { pull_request: { number: 12 } } },
    inputs: { "working-directory": folder, config },
  });
  for (const [workflow, job] of [["worker", "staging"], ["worker", "production"], ["preview", "preview"], ["fork-preview", "preview"]] as const) {
    const names = [push(".", "a.jsonc"), push(".", "b.jsonc"), push("a", ""), push("b", "")].map((contexts) => group(workflow, job, contexts));
    assert.equal(new Set(names).size, 4, `${workflow}: ${names.join(", ")}`);
    assert.equal(group(workflow, job, push("a", "")), names[2]);
  }
  // A refused label cancels nothing, and that of the commit and the deletion cancel an older deploy.
  const names = [ofFork("labeled", `preview ${COMMIT}`), ofFork("closed", ""), ofFork("labeled", "preview later"), ofFork("labeled", "preview later", "open", "2")];
  const [deploy, deletion, ...refused] = names.map((contexts) => group("fork-preview", "preview", contexts));
  assert.equal(deploy, "dotdo-preview:12:.:");
  assert.equal(deploy, deletion);
  assert.equal(new Set([deploy, ...refused]).size, 3);
});

test("the preview of a fork runs for its labels while it is open, and deletes only labels of commits", async (t) => {
  const { if: condition, steps = [] } = jobsOf("fork-preview")["preview"] ?? {};
  for (const [contexts, runs] of [
    [ofFork("labeled", `preview ${COMMIT}`), true],
    [ofFork("labeled", `preview ${COMMIT}`, "closed"), false],
    [ofFork("labeled", "bug"), false],
    [ofFork("synchronize", ""), false],
    [ofFork("closed", "", "closed"), true],
  ] as const) {
    assert.equal(isMet(condition, contexts), runs, JSON.stringify(contexts["github"]));
  }
  const job = await Fixture.of(t);
  job.program("gh", 'echo "gh $*" >> "$(dirname "$0")/calls"');
  const { env, ...deletion } = steps.find(({ name }) => name === "Delete the label") ?? {};
  const run = (label: string) => {
    const step = { ...deletion, env: { ...env, LABEL: label } };
    return job.runSteps(pullRequest({ action: "labeled", label }), `      - ${JSON.stringify(step)}`, {}, "pull-requests: write");
  };
  for (const label of ["preview later", `preview ${COMMIT}0`, `x preview ${COMMIT}`, `preview $(touch injected) ${COMMIT}`, `preview ${COMMIT}`]) {
    const finished = await run(label);
    assert.ok(finished.succeeded, finished.log);
  }
  assert.deepEqual(job.calls, [`gh label delete preview ${COMMIT} --yes`]);
});

test("nothing is promoted if GitHub does not pass the deployment of staging on", async (t) => {
  const job = await Fixture.of(t);
  job.program("npm", 'echo "npm $*" >> "$(dirname "$0")/calls"');
  job.recordsIn("staging", "agents");
  const staged = await job.runWorkflowFile("worker", 'build: "true"');
  assert.match(job.calls.at(-1) ?? "", /^dotdo promote agents --env production --from staging --deployment first --yes --json$/, staged.log);
  const calls = job.calls.length;
  // The id of the deployment is the value of a secret.
  const hidden = await job.runWorkflowFile("worker", "build: 'echo ::add-mask::first'");
  assert.ok(!hidden.succeeded);
  assert.ok(hidden.annotations.some(({ title }) => title === "The deployment in staging is not known"), hidden.log);
  assert.ok(job.calls.slice(calls).every((call) => !call.includes("promote")), job.calls.join("\n"));
});

test("no workflow inserts a text of an event into a script, and each job has a timeout, its own permissions and pinned actions", () => {
  for (const workflow of WORKFLOWS) {
    const text = readFileSync(join(REPOSITORY, `.github/workflows/${workflow}.yml`), "utf8");
    assert.deepEqual(parse(text).permissions, {}, workflow);
    for (const [name, job] of Object.entries(jobsOf(workflow))) {
      assert.ok(job.permissions !== undefined && job["timeout-minutes"] !== undefined, `${workflow}: ${name}`);
      for (const step of job.steps ?? []) {
        const inserted = [...(step.run ?? "").matchAll(/\$\{\{(.*?)\}\}/gs)].map(([, expression]) => expression?.trim());
        // The command of the caller.
        assert.ok(inserted.every((expression) => expression === "inputs.build"), `${workflow}: ${step.run}`);
        if (step.uses?.startsWith("actions/checkout@")) assert.equal(step.with?.["persist-credentials"], false, workflow);
        if (step.uses?.startsWith("actions/")) assert.match(step.uses, /@[0-9a-f]{40}$/);
      }
    }
  }
});
