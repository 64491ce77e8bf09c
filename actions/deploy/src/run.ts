import { readFileSync } from "node:fs";

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
  /** The page of the commit. */
  commitPage: string;
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
  const commit = typeof head?.["sha"] === "string" ? head["sha"] : text("GITHUB_SHA");
  const pages = `${text("GITHUB_SERVER_URL")}/${repository}`;
  const run = {
    event: text("GITHUB_EVENT_NAME"),
    action: string(event["action"]),
    repository,
    commit,
    commitPage: `${pages}/commit/${commit}`,
    log: `${pages}/actions/runs/${text("GITHUB_RUN_ID")}/attempts/${text("GITHUB_RUN_ATTEMPT")}`,
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
