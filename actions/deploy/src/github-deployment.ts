import type { Environment } from "./inputs.ts";
import type { GitHub, Item } from "./github.ts";
import type { Run } from "./run.ts";

/** The states of a deployment that this action sets. */
export type State = "in_progress" | "success" | "failure" | "inactive";

/** The longest description of a status, in characters. */
const LONGEST_DESCRIPTION = 140;

/** The GitHub environment of a Worker. Each Worker has its own, because a deployment replaces the others of its environment. */
export function environmentName(worker: string, environment: Environment, isPreview: boolean): string {
  return `${isPreview ? "preview" : environment}/${worker}`;
}

/** Creates a deployment, and returns its id. */
export async function createDeployment(
  github: GitHub,
  run: Run,
  name: string,
  { environment, isPreview }: { environment: Environment; isPreview: boolean },
): Promise<number> {
  const created = await github.post("/deployments", {
    ref: run.commit,
    environment: name,
    description: "Deployed to the .do platform",
    // The job decides whether it deploys: GitHub must not merge the default branch, or wait for checks of which the job is one.
    auto_merge: false,
    required_contexts: [],
    transient_environment: isPreview,
    production_environment: environment === "production",
  });
  const { id } = created;
  if (typeof id !== "number") throw new Error("GitHub's answer to the creation of a deployment has no id");
  return id;
}

/** Adds a status to a deployment. */
export async function setStatus(
  github: GitHub,
  deployment: number,
  state: State,
  log: string,
  { url = "", description = "" }: { url?: string; description?: string } = {},
): Promise<void> {
  await github.post(`/deployments/${deployment}/statuses`, {
    state,
    log_url: log,
    ...(url === "" ? {} : { environment_url: url }),
    description: [...description].slice(0, LONGEST_DESCRIPTION).join(""),
  });
}

/**
 * Sets the deployments of an environment inactive, except for one. GitHub does it itself only for environments that are not transient.
 */
export async function deactivateOthers(github: GitHub, name: string, except: number | undefined, log: string): Promise<void> {
  for (const { id } of await github.list("/deployments", { environment: name })) {
    if (typeof id !== "number" || id === except) continue;
    const state = latestState(await github.list(`/deployments/${id}/statuses`, { per_page: "1" }));
    // Those before it were set inactive together with it.
    if (state === "inactive") return;
    if (state !== "failure") await setStatus(github, id, "inactive", log);
  }
}

function latestState([latest]: Item[]): unknown {
  return latest?.["state"];
}
