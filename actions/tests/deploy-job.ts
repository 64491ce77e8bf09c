/** A job with the action `deploy`, for tests. */

import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";

import { GitHub, GITHUB_TOKEN } from "./github/stand-in.ts";
import type { Finished, Variables } from "./job-runner.ts";
import { runWorkflow } from "./runner.ts";
import { Servers } from "./servers.ts";

/** The head of the pull request. */
export const COMMIT = "0f9f3a6c3b4a1d2e5f60718293a4b5c6d7e8f901";
/** The path of the Workers in development. */
export const WORKERS = "/v1/namespaces/dotdo-development/workers";

/** The deploy API's record of a deployment. */
function deployment(id: string, previous: string | null, bindings: object[] = [], size = 1000): object {
  const bundle = { bindings, modules: [{ name: "index.js", sha256: id, size }] };
  const url = "https://dev.agents-pr-12.do";
  const preview = { of: "agents", pull_request: 12, expires: "2026-12-12T18:00:00Z" };
  return { id, urls: [url], size, startup_time_ms: 7, previous, bundle, preview, warnings: [] };
}

/** The event of a pull request. */
export function pullRequest(changed: { action?: string; head?: string; from?: string | null; label?: string } = {}): Record<string, unknown> {
  const { action = "synchronize", head = COMMIT, from = "drivly/agents", label } = changed;
  const repo = from === null ? null : { id: from === "drivly/agents" ? 1001 : 4004, full_name: from };
  return { action, pull_request: { number: 12, head: { sha: head, repo } }, ...(label === undefined ? {} : { label: { name: label } }) };
}

/** A repository with a Worker, on a machine with wrangler and `dotdo`: scripts that record how they are called. */
export class Fixture {
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

  /** The deploy API has the first deployment of a Worker in another environment. */
  recordsIn(environment: string, worker: string): void {
    const path = `/v1/namespaces/dotdo-${environment}/workers/${worker}`;
    this.servers.answers[`GET ${path}/deployments/first`] = [{ body: deployment("first", null) }];
    this.servers.answers[`POST ${path}/verify`] = [{ body: { verified: true, recorded_deployment: "first", reason: null } }];
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

  /** Runs a workflow of this repository for a push, as another workflow calls it. */
  runWorkflowFile(name: string, inputs: string): Promise<Finished> {
    const workflow = `
on: push
jobs:
  called:
    permissions: { contents: read, deployments: write, id-token: write }
    uses: drivly/dispatch.do/.github/workflows/${name}.yml@v1
    with: { api: "${this.servers.origin}", ${inputs} }
`;
    return this.#run(workflow, {}, { GITHUB_EVENT_NAME: "push", GITHUB_REF: "refs/heads/main" });
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
    return this.#run(workflow, event, variables);
  }

  #run(workflow: string, event: Record<string, unknown>, variables: Variables): Promise<Finished> {
    const file = join(this.folder, "event.json");
    writeFileSync(file, JSON.stringify(event));
    this.github.receive(event);
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
