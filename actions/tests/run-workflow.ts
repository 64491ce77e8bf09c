/**
 * Runs the job of a workflow: `node run-workflow.ts WORKFLOW FOLDER TEMPORARY`. Prints the log, then the summary. The exit status is 1 if
 * the job failed. The variables of this process are those of the runner.
 */

import { readFileSync } from "node:fs";

import { jobOf, runJob } from "./runner.ts";

const [workflow = "", folder = "", temporary = ""] = process.argv.slice(2);
const finished = await runJob(jobOf(readFileSync(workflow, "utf8")), process.env, folder, temporary);
process.stdout.write(finished.log);
process.stdout.write(`== summary\n${finished.summary}`);
process.exitCode = finished.succeeded ? 0 : 1;
