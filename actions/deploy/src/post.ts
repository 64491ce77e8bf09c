/** The post step: shows that a step was cancelled or killed, and revokes its token. It never fails the job. */

import { ActionFailure } from "../../step/failure.ts";
import { annotate } from "../../step/workflow-commands.ts";
import { logOut } from "../../login/src/log-out.ts";
import { realWorld } from "../../login/src/login.ts";
import { GitHub } from "./github.ts";
import { inputsOf } from "./inputs.ts";
import { Pages } from "./pages.ts";
import { runOf } from "./run.ts";

await logOut(process.env);
const worker = process.env["STATE_worker"];
if (worker && process.env["STATE_ended"] !== "true") {
  try {
    const began = Number(process.env["STATE_began"]);
    const [inputs, run] = [inputsOf(process.env), runOf(process.env)];
    const github = new GitHub(realWorld, process.env["GITHUB_API_URL"] ?? "", run.repository, inputs.githubToken);
    const pages = new Pages(github, inputs, run, worker, began);
    const deployment = process.env["STATE_github_deployment"];
    pages.resume(deployment ? Number(deployment) : undefined);
    const lines = ["It was cancelled, or its runner was lost. The Worker may have been deployed."];
    await pages.end(pages.report("cancelled", { failure: new ActionFailure("The step did not end", lines) }));
  } catch (error) {
    annotate("warning", "The GitHub deployment was not updated", [error instanceof Error ? error.message : String(error)]);
  }
}
