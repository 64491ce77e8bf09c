import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import type { Finished, Variables } from "./job-runner.ts";
import { runWorkflow } from "./runner.ts";
import { ACCOUNT, CLAIMS, Servers, TOKEN } from "./servers.ts";

/** A job that logs in, and then runs a script. */
function workflow(api: string, script = "true", permissions = "{ contents: read, id-token: write }"): string {
  return `
on: push
permissions: ${permissions}
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
      - uses: drivly/dispatch.do/actions/login@v1
        with: { api: "${api}" }
      - run: ${script}
`;
}

class Fixture {
  readonly servers: Servers;
  readonly folder: string;

  private constructor(servers: Servers, folder: string) {
    this.servers = servers;
    this.folder = folder;
  }

  static async of(t: TestContext): Promise<Fixture> {
    const servers = await Servers.start();
    const folder = mkdtempSync(join(tmpdir(), "dotdo-actions-"));
    for (const name of ["checkout", "home", "runner"]) mkdirSync(join(folder, name));
    t.after(async () => {
      await servers.stop();
      rmSync(folder, { recursive: true });
    });
    return new Fixture(servers, folder);
  }

  run(text: string, variables: Variables = {}): Promise<Finished> {
    const base = { PATH: process.env["PATH"], HOME: join(this.folder, "home"), ...this.servers.variables, ...variables };
    return runWorkflow(text, { variables: base, folder: join(this.folder, "checkout"), temporary: join(this.folder, "runner") });
  }

  /** The names of the files that contain a text. */
  filesWith(text: string): string[] {
    const entries = readdirSync(this.folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files.filter((file) => readFileSync(join(file.parentPath, file.name), "utf8").includes(text)).map(({ name }) => name);
  }
}

test("sets the variables of wrangler, keeps the token out of the log and of other files, and revokes it", async (t) => {
  const job = await Fixture.of(t);
  const { origin } = job.servers;
  const begin = performance.now();
  const finished = await job.run(workflow(`${origin}/`, 'echo "token $CLOUDFLARE_API_TOKEN at $CLOUDFLARE_API_BASE_URL"'));
  t.diagnostic(`main step, script and post step: ${Math.round(performance.now() - begin)} ms`);
  assert.ok(finished.succeeded, finished.log);
  assert.deepEqual(finished.variables, {
    CLOUDFLARE_API_BASE_URL: `${origin}/client/v4`,
    CLOUDFLARE_API_TOKEN: TOKEN,
    CLOUDFLARE_ACCOUNT_ID: ACCOUNT,
  });
  assert.match(finished.log, /^token \*\*\* at /m);
  const [oidc = "", ...others] = job.servers.exchanged;
  assert.deepEqual(others, []);
  assert.deepEqual(finished.masked, new Set([oidc, TOKEN]));
  assert.ok(!finished.log.includes(TOKEN) && !finished.log.includes(oidc), finished.log);
  assert.deepEqual(job.filesWith(TOKEN).sort(), ["GITHUB_ENV", "GITHUB_STATE"]);
  assert.deepEqual(job.filesWith(oidc), []);
  const [request, , revocation, ...more] = job.servers.seen;
  assert.equal(request?.path, "/_apis/token?api-version=2.0&audience=dotdo-deploy");
  assert.equal(request?.authorization, "Bearer of-the-runner");
  assert.deepEqual([revocation?.method, revocation?.path, revocation?.authorization], ["DELETE", "/v1/tokens/self", `Bearer ${TOKEN}`]);
  assert.deepEqual(more, []);
  assert.match(finished.log, /as drivly\/agents, until 2026-11-24T12:15:00Z\.\nRules: agents\./);
  assert.match(finished.log, /The deploy token is revoked\./);
});

test("revokes the token after a failed job, and a failed revocation is only a warning", async (t) => {
  const job = await Fixture.of(t);
  const failed = await job.run(workflow(job.servers.origin, "exit 3"));
  assert.ok(!failed.succeeded);
  assert.equal(job.servers.seen.at(-1)?.path, "/v1/tokens/self");

  for (const [revocation, level, text] of [
    [{ status: 401, body: {} }, undefined, "The deploy token is not valid any more."],
    [{ status: 503, body: "busy" }, "warning", "It expires at 2026-11-24T12:15:00Z."],
    [{ status: 403, body: { title: "No", detail: "It is locked." } }, "warning", "It is locked."],
  ] as const) {
    const other = await Fixture.of(t);
    other.servers.revocation = revocation;
    const finished = await other.run(workflow(other.servers.origin));
    assert.ok(finished.succeeded, finished.log);
    assert.equal(finished.annotations[0]?.level, level);
    assert.ok(finished.log.includes(text), finished.log);
  }
});

test("a refusal is explained by an annotation and in the summary, without injected commands or markup", async (t) => {
  const job = await Fixture.of(t);
  const note = 'Rule "agents" expects ref refs/heads/main; the run has refs/heads/<b>\n\n# x%0A::error::';
  job.servers.claims = { ...CLAIMS, repository_id: "1001", ref: "refs/heads/</td>\n\n# x", environment: "preview/pr-12" };
  job.servers.exchanges = [
    {
      status: 403,
      body: {
        title: "The policy does not allow this",
        detail: "drivly/agents at refs/heads/feature (run 42) may not get a deploy token.",
        code: "PERMISSION_DENIED",
        fix: "Ask an administrator.",
        notes: [note, "::set-env name=PATH::x", "##[add-mask]a"],
        request_id: "ray-1",
      },
    },
  ];
  const finished = await job.run(workflow(job.servers.origin, "touch deployed"));
  assert.ok(!finished.succeeded);
  assert.equal(finished.annotations.length, 1, finished.log);
  const [annotation] = finished.annotations;
  assert.equal(annotation?.level, "error");
  assert.equal(annotation?.title, "The policy does not allow this");
  for (const text of ["may not get a deploy token.", note, "Ask an administrator.", "Request: ray-1"]) {
    assert.ok(annotation?.message.includes(text), text);
  }
  for (const text of ["expects ref refs/heads/main", "<code>1001</code>", "<code>preview/pr-12</code>", "refs/heads/&lt;/td&gt;  # x"]) {
    assert.ok(finished.summary.includes(text), finished.summary);
  }
  assert.ok(!finished.summary.includes("\n\n"), "a blank line ends the HTML");
  assert.deepEqual(finished.variables, {});
  assert.deepEqual(readdirSync(join(job.folder, "checkout")), [], "a later step ran");
  assert.ok(job.servers.seen.every(({ path }) => path !== "/v1/tokens/self"));
});

test("an issuer that the deploy API does not know is named", async (t) => {
  const job = await Fixture.of(t);
  job.servers.claims = { ...CLAIMS, iss: "https://ghe.example/_services/token" };
  job.servers.exchanges = [{ status: 401, body: { title: "No", detail: "The credential is not accepted.", code: "AUTHENTICATION_FAILED" } }];
  const finished = await job.run(workflow(job.servers.origin));
  assert.match(finished.annotations[0]?.message ?? "", /issuer https:\/\/ghe\.example\/_services\/token and the audience dotdo-deploy/);
});

test("explains why a job may not request an OIDC token", async (t) => {
  const job = await Fixture.of(t);
  const event = join(job.folder, "event.json");
  const fork = { GITHUB_EVENT_NAME: "pull_request", GITHUB_EVENT_PATH: event, GITHUB_REPOSITORY: "drivly/agents" };
  for (const [head, variables, title] of [
    ["drivly/agents", { GITHUB_ACTOR: "dependabot[bot]" }, "Dependabot's runs get no OIDC token"],
    ["someone/agents", fork, "Runs for pull requests from forks get no OIDC token"],
    [null, fork, "Runs for pull requests from forks get no OIDC token"],
    ["drivly/agents", fork, "The job may not request an OIDC token"],
    ["drivly/agents", {}, "The job may not request an OIDC token"],
  ] as const) {
    writeFileSync(event, JSON.stringify({ pull_request: { head: { repo: head && { full_name: head } } } }));
    rmSync(join(job.folder, "runner"), { recursive: true });
    mkdirSync(join(job.folder, "runner"));
    const finished = await job.run(workflow(job.servers.origin, "true", "{ contents: read }"), variables);
    assert.equal(finished.annotations[0]?.title, title);
    assert.ok(!finished.succeeded && finished.summary.includes("Login failed"), finished.summary);
  }
  assert.deepEqual(job.servers.seen, []);
});

test("a failed request is repeated with a new OIDC token", async (t) => {
  const job = await Fixture.of(t);
  const busy = { status: 503, headers: { "Retry-After": "0" }, body: { title: "Busy", detail: "The keys cannot be read now." } };
  job.servers.exchanges = [busy, { ...busy, status: 429 }, ...job.servers.exchanges];
  const finished = await job.run(workflow(job.servers.origin));
  assert.ok(finished.succeeded, finished.log);
  assert.equal(new Set(job.servers.exchanged).size, 3);
  assert.equal(finished.masked.size, 4);
  assert.match(finished.log, /The keys cannot be read now\. Trying again in 0 s\./);
});

test("other answers than those of a deploy API and of the issuer fail the step at once", async (t) => {
  const token = (text: string) => ({ body: { token: text, id: "i", expires: "e", account: ACCOUNT, rules: [] } });
  for (const [change, title] of [
    [{ exchanges: [{ body: "<html>" }] }, "The answer is not that of a deploy API"],
    [{ exchanges: [{ status: 404, body: "not found" }] }, "The answer is not that of a deploy API"],
    [{ exchanges: [token("x\nCLOUDFLARE_API_TOKEN=y")] }, "The answer is not that of a deploy API"],
    [{ exchanges: [token(TOKEN.toUpperCase())] }, "The answer is not that of a deploy API"],
    [{ exchanges: [{ status: 307, headers: { Location: "https://other.example" }, body: "" }] }, "The deploy API redirects"],
    [{ issuer: { status: 403, body: { message: "Not\n::error::x" } } }, "GitHub did not issue an OIDC token"],
    [{ issuer: { body: {} } }, "GitHub did not issue an OIDC token"],
  ] as const) {
    const job = await Fixture.of(t);
    Object.assign(job.servers, change);
    const finished = await job.run(workflow(job.servers.origin));
    assert.deepEqual(finished.annotations.map((annotation) => annotation.title), [title]);
    assert.ok(!finished.succeeded);
    assert.deepEqual(finished.variables, {});
  }
});

test("another credential of Cloudflare in the job is refused, because wrangler would send it", async (t) => {
  const job = await Fixture.of(t);
  const finished = await job.run(workflow(job.servers.origin), { CLOUDFLARE_API_KEY: "k", CLOUDFLARE_EMAIL: "e" });
  assert.match(finished.annotations[0]?.message ?? "", /wrangler would use CLOUDFLARE_API_KEY and CLOUDFLARE_EMAIL/);
  assert.deepEqual(job.servers.seen, []);
});
