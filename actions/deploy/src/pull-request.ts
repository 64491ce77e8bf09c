import { ActionFailure } from "../../step/failure.ts";
import { isObject } from "../../step/http.ts";
import { annotate } from "../../step/workflow-commands.ts";
import type { GitHub } from "./github.ts";
import type { PullRequest, Run } from "./run.ts";

/** The label with which a maintainer starts the preview of a commit of a fork. */
export function labelFor(commit: string): string {
  return `preview ${commit}`;
}

/**
 * Throws an {@link ActionFailure} if the run builds with rights that code of a pull request must not get. Such a run can have a checkout of the
 * pull request, and a build would execute it.
 *
 * @param hasBuild whether wrangler builds the checkout
 */
export function refuseBuildWithRights(run: Run, hasBuild: boolean): void {
  if (run.event !== "pull_request_target" || !hasBuild) return;
  throw new ActionFailure("A run of pull_request_target must not build a pull request", [
    "Such a run has the rights of the base branch, and a build would run the code of the pull request with them.",
    "Use `on: pull_request`, or deploy an artifact as fork-preview.yml does.",
  ]);
}

/**
 * The pull request of a preview.
 *
 * Throws an {@link ActionFailure} if the run is not for a pull request, or for one of a fork without the label of its commit.
 */
export function previewedBy(run: Run): PullRequest {
  const { pullRequest } = run;
  if (pullRequest === undefined) {
    throw new ActionFailure("A preview is for a pull request", [
      `This run was started by ${run.event || "an event"}, which has no pull request.`,
      "Start the workflow with `on: pull_request`, or set the input environment in place of preview.",
    ]);
  }
  if (!needsLabel(run)) return pullRequest;
  if (run.action !== "labeled" || run.label !== labelFor(run.commit)) {
    const cause = run.action === "labeled" ? `the label is ${JSON.stringify(run.label)}` : `the event is ${JSON.stringify(run.action)}`;
    throw new ActionFailure("No label allows the preview of this commit", [
      `The head of the pull request is ${run.commit}, and ${cause}.`,
      `Review this commit, and add the label "${labelFor(run.commit)}" to the pull request.`,
    ]);
  }
  return pullRequest;
}

/** Whether the run may only deploy with a label: it has rights, and the pull request can be one of a fork. */
export function needsLabel({ event, action }: Run): boolean {
  return event === "pull_request_target" && action !== "closed";
}

/** A pull request as GitHub has it now. The event of a run that waited, or was started again, is older. */
export interface Current {
  isOpen: boolean;
  /** The commit of its head. */
  head: string;
  labels: string[];
}

/** How much older than its events GitHub's answers can be, in milliseconds. */
const LAG = 2000;

/**
 * Reads the pull request of a run, a second time if the first answer does not agree with the event; undefined with a warning if that fails.
 *
 * Throws an error in place of the warning if the run needs a label.
 */
export async function stateFor(github: GitHub, run: Run, pullRequest: PullRequest, pause: (milliseconds: number) => Promise<unknown>): Promise<Current | undefined> {
  const state = await currentState(github, pullRequest, needsLabel(run));
  const agrees = state === undefined || (run.action === "closed" ? !state.isOpen : whyOutdated(run, state) === undefined);
  if (agrees) return state;
  await pause(LAG);
  return await currentState(github, pullRequest, needsLabel(run));
}

/**
 * Reads a pull request; undefined with a warning if that fails.
 *
 * Throws an error in place of the warning if it must be known.
 */
export async function currentState(github: GitHub, { number }: PullRequest, isRequired: boolean): Promise<Current | undefined> {
  try {
    const { state, head, labels } = await github.get(`/pulls/${number}`);
    const names = Array.isArray(labels) ? labels.filter(isObject).map(({ name }) => String(name)) : [];
    if (!isObject(head) || typeof head["sha"] !== "string") throw new Error(`GitHub's answer has no head of pull request ${number}`);
    return { isOpen: state === "open", head: head["sha"], labels: names };
  } catch (error) {
    if (isRequired) throw error;
    const lines = error instanceof ActionFailure ? error.lines : [error instanceof Error ? error.message : String(error)];
    annotate("warning", "The pull request cannot be read", [...lines, "If it is closed by now, or has a newer commit, this run does not notice it."]);
    return undefined;
  }
}

/** Why the preview must not be deployed, if the pull request changed since the event of the run. */
export function whyOutdated(run: Run, { isOpen, head, labels }: Current): ActionFailure | undefined {
  if (!isOpen) {
    return new ActionFailure("The pull request is closed", ["Its preview was deleted, and this run would create it again.", "Reopen the pull request."]);
  }
  if (head !== run.commit) {
    return new ActionFailure("The pull request has another commit by now", [
      `Its head is ${head}, and this run is for ${run.commit}.`,
      needsLabel(run) ? `Review that commit, and add the label "${labelFor(head)}".` : "The run for that commit deploys the preview.",
    ]);
  }
  if (needsLabel(run) && !labels.includes(labelFor(run.commit))) {
    return new ActionFailure("The label of this commit was removed", [
      `The pull request does not have the label "${labelFor(run.commit)}" any more; it is deleted after each run.`,
      "Create it, and add it again.",
    ]);
  }
  return undefined;
}
