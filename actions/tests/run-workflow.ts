/**
 * Runs a workflow: `node run-workflow.ts WORKFLOW FOLDER TEMPORARY [GITHUB]`. Prints the log, then the summary. The exit status is 1 if a job
 * failed. The variables of this process are those of the runner.
 *
 * `GITHUB` is a JSON file: `event` and `stored`, what GitHub stores. It gets what GitHub stores after the run, the requests to GitHub that
 * were not valid, the jobs that ran, and the outputs of the last one.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { addArtifact } from "./github/artifacts.ts";
import { GitHub, GITHUB_TOKEN, type Stored } from "./github/stand-in.ts";
import { runWorkflow } from "./runner.ts";

const [workflow = "", folder = "", temporary = "", file = ""] = process.argv.slice(2);
const given: { event?: Record<string, unknown>; stored?: Stored } = file === "" ? {} : JSON.parse(readFileSync(file, "utf8"));
const github = await GitHub.start(given.stored);
github.receive(given.event ?? {});
const event = join(temporary, "event.json");
writeFileSync(event, JSON.stringify(given.event ?? {}));
const jobs: { job: string; permissions: Record<string, string>; environment: string }[] = [];
const finished = await runWorkflow(readFileSync(workflow, "utf8"), {
  variables: {
    GITHUB_EVENT_NAME: "push",
    GITHUB_REPOSITORY: "drivly/agents",
    GITHUB_RUN_ATTEMPT: "1",
    GITHUB_RUN_ID: "42",
    GITHUB_SERVER_URL: "https://github.com",
    GITHUB_SHA: "0f9f3a6c3b4a1d2e5f60718293a4b5c6d7e8f901",
    ...process.env,
    GITHUB_API_URL: github.origin,
    GITHUB_EVENT_PATH: event,
  },
  folder,
  temporary,
  github: { token: GITHUB_TOKEN, event: given.event ?? {} },
  upload: (inputs) => addArtifact(github.stored, folder, inputs, given.event ?? {}),
  starting: (job, permissions, environment) => jobs.push({ job, permissions, environment }),
});
await github.stop();
if (file !== "") {
  const { stored, invalid } = github;
  writeFileSync(file, JSON.stringify({ event: given.event, stored, invalid, jobs, outputs: finished.outputs, annotations: finished.annotations }));
}
process.stdout.write(finished.log);
process.stdout.write(`== summary\n${finished.summary}`);
process.exitCode = finished.succeeded ? 0 : 1;
