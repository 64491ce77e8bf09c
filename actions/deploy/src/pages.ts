import { ActionFailure } from "../../step/failure.ts";
import { addToSummary, annotate, setVariable } from "../../step/workflow-commands.ts";
import { claimsTable } from "../../login/src/summary.ts";
import { keepComment } from "./comment.ts";
import type { GitHub } from "./github.ts";
import { createDeployment, deactivateOthers, environmentName, setStatus, type State } from "./github-deployment.ts";
import type { Inputs } from "./inputs.ts";
import { htmlOf, type Report, type Status } from "./report.ts";
import type { Run } from "./run.ts";

/** The states of a GitHub deployment by the status of a step. */
const STATES: Record<Exclude<Status, "deleted">, State> = {
  deploying: "in_progress",
  deployed: "success",
  promoted: "success",
  failed: "failure",
  cancelled: "failure",
};

/**
 * What people see of a step on GitHub: the GitHub deployment, the comment in the pull request, and the summary of the job. A failure to
 * update them is a warning: it does not change what is deployed.
 */
export class Pages {
  readonly #github: GitHub;
  readonly #inputs: Inputs;
  readonly #run: Run;
  readonly #worker: string;
  readonly #began: number;
  #deployment: number | undefined;

  /** @param began when the step began, in milliseconds since 1970 */
  constructor(github: GitHub, inputs: Inputs, run: Run, worker: string, began: number) {
    this.#github = github;
    this.#inputs = inputs;
    this.#run = run;
    this.#worker = worker;
    this.#began = began;
  }

  /** Shows that the Worker is being deployed, and saves for the post step what it needs if this process is killed. */
  async begin(): Promise<void> {
    await this.#attempt("The GitHub deployment was not created", async () => {
      if (!this.#inputs.hasGitHubDeployment) return;
      this.#deployment = await createDeployment(this.#github, this.#run, this.#environment(), this.#inputs);
      setVariable("GITHUB_STATE", "github_deployment", String(this.#deployment));
    });
    setVariable("GITHUB_STATE", "worker", this.#worker);
    setVariable("GITHUB_STATE", "began", String(this.#began));
    await this.#update(this.report("deploying"));
  }

  /** Continues in the post step of a step that began. */
  resume(deployment: number | undefined): void {
    this.#deployment = deployment;
  }

  /** Shows how the step ended. */
  async end(report: Report): Promise<void> {
    const claims = report.failure?.claims;
    addToSummary(htmlOf(report) + (claims === undefined ? "" : claimsTable(claims)));
    await this.#update(report);
    setVariable("GITHUB_STATE", "ended", "true");
  }

  /** A report of this step. */
  report(status: Status, details: Partial<Report> = {}): Report {
    const { commit, commitPage, log } = this.#run;
    const { environment, isPreview } = this.#inputs;
    return { status, worker: this.#worker, environment, commit, commitPage, log, isPreview, ...details };
  }

  async #update(report: Report): Promise<void> {
    await Promise.all([
      this.#attempt("The GitHub deployment was not updated", () => this.#updateDeployment(report)),
      this.#attempt("The comment was not updated", () => this.#updateComment(report)),
    ]);
  }

  async #updateDeployment(report: Report): Promise<void> {
    const { log } = this.#run;
    if (report.status === "deleted") return deactivateOthers(this.#github, this.#environment(), undefined, log);
    if (this.#deployment === undefined) return;
    const url = report.deployment?.urls[0] ?? "";
    const description = report.failure?.title ?? "";
    await setStatus(this.#github, this.#deployment, STATES[report.status], log, { url, description });
    const isReplaced = this.#inputs.isPreview && STATES[report.status] === "success";
    if (isReplaced) await deactivateOthers(this.#github, this.#environment(), this.#deployment, log);
  }

  async #updateComment(report: Report): Promise<void> {
    const { pullRequest } = this.#run;
    if (!this.#inputs.isPreview || pullRequest === undefined) return;
    const marker = { worker: this.#worker, began: this.#began };
    // A pull request that never had a preview gets no comment when it is closed.
    await keepComment(this.#github, pullRequest.number, marker, htmlOf(report), this.#run.action !== "closed");
  }

  #environment(): string {
    return environmentName(this.#worker, this.#inputs.environment, this.#inputs.isPreview);
  }

  async #attempt(title: string, action: () => Promise<void>): Promise<void> {
    if (this.#inputs.githubToken === "") return;
    try {
      await action();
    } catch (error) {
      annotate("warning", title, error instanceof ActionFailure ? error.lines : [error instanceof Error ? error.message : String(error)]);
    }
  }
}
