import { readFileSync } from "node:fs";

import { ActionFailure } from "../../step/failure.ts";
import { isObject } from "../../step/http.ts";

/** The run of the workflow, and what started it. */
export interface Run {
  /** Such as `pull_request`. */
  event: string;
  /** Such as `closed`; empty if the event has none. */
  action: string;
  /** `OWNER/NAME` */
  repository: string;
  /** The commit that is deployed: of a pull request its head, and not GitHub's merge of it. */
  commit: string;
  /** The page with the log of the run. */
  log: string;
  pullRequest: PullRequest | undefined;
  /** The name of the label that was added. */
  label: string;
}

export interface PullRequest {
  number: number;
  /** The id of the repository with the branch; undefined if it was deleted. */
  headRepository: number | undefined;
  isFromFork: boolean;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Reads the run from the variables of the runner and the file of the event. */
export function runOf(variables: Variables): Run {
  const text = (name: string) => variables[name] ?? "";
  const event = eventOf(text("GITHUB_EVENT_PATH"));
  const repository = text("GITHUB_REPOSITORY");
  const pullRequest = object(event["pull_request"]);
  const head = object(pullRequest?.["head"]);
  const number = pullRequest?.["number"];
  const commit = head?.["sha"];
  const run = {
    event: text("GITHUB_EVENT_NAME"),
    action: string(event["action"]),
    repository,
    commit: typeof commit === "string" ? commit : text("GITHUB_SHA"),
    log: `${text("GITHUB_SERVER_URL")}/${repository}/actions/runs/${text("GITHUB_RUN_ID")}/attempts/${text("GITHUB_RUN_ATTEMPT")}`,
    label: string(object(event["label"])?.["name"]),
    pullRequest: undefined,
  };
  if (typeof number !== "number" || !Number.isInteger(number)) return run;
  // The repository of a fork that was deleted is null.
  const source = object(head?.["repo"]);
  const id = source?.["id"];
  return {
    ...run,
    pullRequest: {
      number,
      headRepository: typeof id === "number" ? id : undefined,
      isFromFork: source?.["full_name"] !== repository,
    },
  };
}

/** The label with which a maintainer starts the preview of a commit of a fork. */
export function labelFor(commit: string): string {
  return `preview ${commit}`;
}

/**
 * The pull request of a preview.
 *
 * Throws an {@link ActionFailure} if the run is not for a pull request, or it has rights that code of a pull request must not get.
 */
export function previewedBy(run: Run, hasArtifact: boolean): PullRequest {
  const { pullRequest } = run;
  if (pullRequest === undefined) {
    throw new ActionFailure("A preview is for a pull request", [
      `This run was started by ${run.event || "an event"}, which has no pull request.`,
      "Start the workflow with `on: pull_request`, or set the input environment in place of preview.",
    ]);
  }
  if (run.event !== "pull_request_target" || run.action === "closed") return pullRequest;
  if (!hasArtifact) {
    throw new ActionFailure("A run of pull_request_target must not build a pull request", [
      "Such a run has the rights of the base branch, and a build would run the code of the pull request with them.",
      "Use `on: pull_request`, or deploy an artifact as fork-preview.yml does.",
    ]);
  }
  const label = labelFor(run.commit);
  if (run.action !== "labeled" || run.label !== label) {
    throw new ActionFailure("No label allows the preview of this commit", [
      `The head of the pull request is ${run.commit}, and ${run.action === "labeled" ? `the label is ${JSON.stringify(run.label)}` : `the event is ${JSON.stringify(run.action)}`}.`,
      `Review this commit, and add the label "${label}" to the pull request.`,
    ]);
  }
  return pullRequest;
}

function eventOf(path: string): Record<string, unknown> {
  if (path === "") return {};
  try {
    return object(JSON.parse(readFileSync(path, "utf8"))) ?? {};
  } catch {
    return {};
  }
}

function object(value: unknown): Record<string, unknown> | undefined {
  return isObject(value) ? value : undefined;
}

function string(value: unknown): string {
  return typeof value === "string" ? value : "";
}
