import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test, type TestContext } from "node:test";

import { storeArtifact, zip } from "./github/artifacts.ts";
import { GitHub, GITHUB_TOKEN } from "./github/stand-in.ts";
import { type Finished, runWorkflow, type Variables } from "./runner.ts";
import { Servers, TOKEN } from "./servers.ts";

const COMMIT = "0f9f3a6c3b4a1d2e5f60718293a4b5c6d7e8f901";
const WORKERS = "/v1/namespaces/dotdo-development/workers";

/** The deploy API's record of a deployment. */
function deployment(id: string, previous: string | null, bindings: object[] = [], size = 1000): object {
  const bundle = { bindings, modules: [{ name: "index.js", sha256: id, size }] };
  const url = "https://dev.agents-pr-12.do";
  const preview = { of: "agents", pull_request: 12, expires: "2026-12-12T18:00:00Z" };
  return { id, urls: [url], size, startup_time_ms: 7, previous, bundle, preview, warnings: [] };
}

/** The event of a pull request. */
function pullRequest(changed: { action?: string; head?: string; from?: string | null; label?: string } = {}): Record<string, unknown> {
  const { action = "synchronize", head = COMMIT, from = "drivly/agents", label } = changed;
  const repo = from === null ? null : { id: from === "drivly/agents" ? 1001 : 4004, full_name: from };
  return { action, pull_request: { number: 12, head: { sha: head, repo } }, ...(label === undefined ? {} : { label: { name: label } }) };
}

/** A repository with a Worker, on a machine with wrangler and `dotdo`: scripts that record how they are called. */
class Fixture {
  readonly github: GitHub;
  readonly servers: Servers;
  readonly folder: string;

  private constructor(github: GitHub, servers: Servers, folder: string) {
    this.github = github;
    this.servers = servers;
    this.folder = folder;
  }

  static async of(t: TestContext): Promise<Fixture> {
    const [github, servers] = await Promise.all([GitHub.start(), Servers.start()]);
    const fixture = new Fixture(github, servers, mkdtempSync(join(tmpdir(), "dotdo-actions-")));
    for (const name of ["checkout", "home", "runner", "bin"]) mkdirSync(join(fixture.folder, name));
    fixture.dotdo(JSON.stringify({ file: "wrangler.json", name: "agents", main: "src/index.ts", findings: [] }));
    fixture.wrangler("echo Uploaded agents", "first");
    fixture.records("first", null);
    t.after(async () => {
      await Promise.all([github.stop(), servers.stop()]);
      rmSync(fixture.folder, { recursive: true });
      assert.deepEqual(github.invalid, [], "requests that GitHub refuses");
    });
    return fixture;
  }

  program(name: string, script: string): void {
    const path = join(this.folder, "bin", name);
    writeFileSync(path, `#!/bin/bash\n${script}\n`);
    chmodSync(path, 0o755);
  }

  dotdo(output: string, script = ""): void {
    writeFileSync(join(this.folder, "bin", "output"), output);
    this.program("dotdo", `echo "dotdo $*" >> "$(dirname "$0")/calls"\n${script}\ncat "$(dirname "$0")/output"`);
  }

  /** What `npx wrangler` does, and the id of its deployment. */
  wrangler(script: string, id: string): void {
    const entry = JSON.stringify({ type: "deploy", version: 1, version_id: id });
    this.program(
      "npx",
      `echo "npx $*" >> "$(dirname "$0")/calls"; env > "$(dirname "$0")/env"\n${script}\necho '${entry}' >> "$WRANGLER_OUTPUT_FILE_PATH"`,
    );
  }

  /** The deploy API has the deployment, and serves it. */
  records(id: string, previous: string | null, bindings: object[] = [], size = 1000, worker = "agents-pr-12"): void {
    const { answers } = this.servers;
    answers[`GET ${WORKERS}/${worker}/deployments/${id}`] = [{ body: deployment(id, previous, bindings, size) }];
    answers[`POST ${WORKERS}/${worker}/verify`] = [{ body: { verified: true, recorded_deployment: id, reason: null } }];
    answers[`DELETE ${WORKERS}/${worker}`] = [{ body: { deleted: true } }, { status: 404, body: { title: "No", detail: "None." } }];
  }

  get calls(): string[] {
    try {
      return readFileSync(join(this.folder, "bin", "calls"), "utf8").trim().split("\n");
    } catch {
      return [];
    }
  }

  run(event: Record<string, unknown>, inputs: string, variables: Variables = {}, permissions = "id-token: write"): Promise<Finished> {
    return this.runSteps(event, `      - uses: drivly/dispatch.do/actions/deploy@v1
        id: deploy
        with: { api: "${this.servers.origin}", ${inputs} }`, variables, permissions);
  }

  runSteps(event: Record<string, unknown>, steps: string, variables: Variables, permissions: string): Promise<Finished> {
    const workflow = `
on: pull_request
permissions: { ${permissions} }
jobs:
  deploy:
    runs-on: ubuntu-latest
    outputs: { url: "\${{ steps.deploy.outputs.url }}", changes: "\${{ steps.deploy.outputs.changes }}", id: "\${{ steps.deploy.outputs.deployment }}" }
    steps:
${steps}
`;
    const file = join(this.folder, "event.json");
    writeFileSync(file, JSON.stringify(event));
    return runWorkflow(workflow, {
      variables: {
        PATH: [join(this.folder, "bin"), process.env["PATH"]].join(delimiter),
        HOME: join(this.folder, "home"),
        GITHUB_API_URL: this.github.origin,
        GITHUB_EVENT_NAME: "pull_request",
        GITHUB_EVENT_PATH: file,
        GITHUB_REPOSITORY: "drivly/agents",
        GITHUB_RUN_ATTEMPT: "1",
        GITHUB_RUN_ID: "42",
        GITHUB_SERVER_URL: "https://github.com",
        GITHUB_SHA: "1111111111111111111111111111111111111111",
        ...this.servers.variables,
        ...variables,
      },
      folder: join(this.folder, "checkout"),
      temporary: join(this.folder, "runner"),
      github: { token: GITHUB_TOKEN, event },
    });
  }

  /** The states of the GitHub deployments, in the order of their creation. */
  get states(): unknown[][] {
    return this.github.stored.deployments.map(({ statuses }) => statuses.map(({ state }) => state));
  }

  /** The names of the files that contain a text. */
  filesWith(text: string): string[] {
    const entries = readdirSync(this.folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files.filter((file) => readFileSync(join(file.parentPath, file.name), "utf8").includes(text)).map(({ name }) => name);
  }
}

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
  for (const text of ["agents-pr-12", "<b>deployed</b>", "https://dev.agents-pr-12.do", COMMIT, "1.0 kB", "7 ms", "2026-12-12T18:00:00Z, unless", "added <code>KV (kv_namespace)</code>"]) {
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

test("a refused login is shown in the comment of the preview, with the claims in the summary", async (t) => {
  const job = await Fixture.of(t);
  await job.run(pullRequest(), "preview: true");
  const problem = { title: "The policy does not allow this", detail: "No.", code: "PERMISSION_DENIED", notes: ['Rule "x" expects ref y.'] };
  job.servers.exchanges = [{ status: 403, body: problem }];
  const head = "4444444444444444444444444444444444444444";
  const refused = await job.run(pullRequest({ head }), "preview: true");
  assert.deepEqual(refused.annotations.map(({ message }) => message), ['No.\nRule "x" expects ref y.']);
  for (const text of ["<b>failed</b>", head, "expects ref y."]) assert.ok(job.github.commentsIn(12)[0]?.body.includes(text), text);
  assert.match(refused.summary, /The claims of this run.*drivly\/agents/);
  assert.deepEqual(job.states, [["in_progress", "success"], ["in_progress", "failure"]]);

  job.github.stored.comments = [];
  const closed = await job.run(pullRequest({ action: "closed" }), "preview: true");
  assert.ok(!closed.succeeded && job.github.stored.comments.length === 0, closed.log);
});

test("a comment with many changes and a long failure is not longer than GitHub allows", async (t) => {
  const job = await Fixture.of(t);
  const bindings = Array.from({ length: 3000 }, (_, number) => ({ name: `BINDING_${number}`, type: "plain_text" }));
  job.records("first", null, bindings);
  const many = await job.run(pullRequest(), "preview: true");
  assert.match(job.github.commentsIn(12)[0]?.body ?? "", /BINDING_39 .*and 2960 more/);
  assert.deepEqual(many.annotations, []);
  job.wrangler('for i in {1..60}; do printf "%03000d\\n" $i; done; exit 1', "none");
  const long = await job.run(pullRequest(), "preview: true");
  assert.match(job.github.commentsIn(12)[0]?.body ?? "", /<b>failed<\/b>/);
  assert.deepEqual(long.annotations.map(({ level }) => level), ["error"]);
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

test("two runs at once keep one comment, and a later run's text", async (t) => {
  const job = await Fixture.of(t);
  // Both have listed the comments before one is created.
  let waiting = 0;
  let release: () => void = () => undefined;
  const both = new Promise<void>((resolve) => (release = resolve));
  job.github.before = async (operation) => {
    if (operation !== "issues/create-comment") return;
    waiting += 1;
    if (waiting === 2) release();
    await both;
  };
  const runs = await Promise.all([job.run(pullRequest(), "preview: true"), job.run(pullRequest(), "preview: true")]);
  assert.ok(runs.every(({ succeeded }) => succeeded), runs.map(({ log }) => log).join("\n"));
  assert.equal(waiting, 2);
  assert.equal(job.github.commentsIn(12).length, 1);
  assert.match(job.github.commentsIn(12)[0]?.body ?? "", /<b>deployed<\/b>/);

  job.github.before = async () => undefined;
  const [comment] = job.github.commentsIn(12);
  const later = `<!-- dotdo-preview agents-pr-12 ${Date.now() + 60_000} -->\nlater`;
  if (comment !== undefined) comment.body = later;
  await job.run(pullRequest(), "preview: true");
  assert.deepEqual(job.github.commentsIn(12).map(({ body }) => body), [later]);
});

test("the comment is found on a later page, and comments of others with its marker are left alone", async (t) => {
  const job = await Fixture.of(t);
  const text = "<!-- dotdo-preview agents-pr-12 1 -->\nx";
  const { stored } = job.github;
  const add = (body: string, type: string, role: string) =>
    stored.comments.push({ id: stored.next++, issue: 12, body, user: { login: "someone", type }, author_association: role });
  add(text, "User", "CONTRIBUTOR");
  for (let index = 0; index < 130; index += 1) add("a review", "User", "MEMBER");
  add("<!-- dotdo-preview mail-pr-12 1 -->\nof another Worker", "Bot", "NONE");
  add(text, "Bot", "NONE");
  const kept = stored.comments.at(-1)?.id;
  const finished = await job.run(pullRequest(), "preview: true");
  assert.ok(finished.succeeded, finished.log);
  assert.equal(job.github.commentsIn(12).length, 133);
  const changed = job.github.commentsIn(12).filter(({ body }) => body.includes("<b>deployed</b>"));
  assert.deepEqual(changed.map(({ id }) => id), [kept]);
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
  assert.deepEqual(job.github.calls, []);
});

test("the login of an earlier step is used, and a Cloudflare token without a deploy API is not", async (t) => {
  const job = await Fixture.of(t);
  const deploy = "      - uses: drivly/dispatch.do/actions/deploy@v1\n        with: { preview: true }";
  const login = `      - uses: drivly/dispatch.do/actions/login@v1\n        with: { api: "${job.servers.origin}" }`;
  const logged = await job.runSteps(pullRequest(), `${login}\n${deploy}`, {}, "id-token: write");
  assert.ok(logged.succeeded, logged.log);
  assert.equal(job.servers.exchanged.length, 1);
  assert.match(readFileSync(join(job.folder, "bin", "env"), "utf8"), new RegExp(`^CLOUDFLARE_API_BASE_URL=${job.servers.origin}/client/v4$`, "m"));
  const calls = job.calls.length;
  for (const [variables, reason] of [
    [{}, /There is no deploy token\./],
    [{ CLOUDFLARE_API_TOKEN: "of-cloudflare", CLOUDFLARE_ACCOUNT_ID: "x" }, /is not one of a deploy API/],
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
});
