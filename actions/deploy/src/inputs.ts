import { ActionFailure } from "../../step/failure.ts";

/** The environments of the platform. Each is one dispatch namespace. */
export const ENVIRONMENTS = ["production", "staging", "development"] as const;

export type Environment = (typeof ENVIRONMENTS)[number];

/** The inputs of a step, as `action.yml` describes them. Texts that were not given are empty. */
export interface Inputs {
  api: string;
  audience: string;
  environment: Environment;
  isPreview: boolean;
  worker: string;
  /** The folder of the Worker, relative to the checkout. */
  folder: string;
  config: string;
  wranglerEnvironment: string;
  /** The name of the artifact to deploy in place of the checkout. */
  artifact: string;
  /** The environment to promote from; undefined if the step deploys. */
  promoteFrom: Environment | undefined;
  /** The id of the deployment to promote; by default the current one. */
  deployment: string;
  githubToken: string;
  hasGitHubDeployment: boolean;
  dotdo: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the inputs from the variables of the step.
 *
 * Throws an {@link ActionFailure} that names the input.
 */
export function inputsOf(variables: Variables): Inputs {
  const text = (name: string) => (variables[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const isPreview = flag("preview", text("preview"));
  const environment = text("environment");
  if (isPreview && environment !== "" && environment !== "development") {
    throw invalid("environment", `is ${quoted(environment)}, and a preview is always in development`, "Remove it.");
  }
  const promoteFrom = text("promote-from");
  const inputs = {
    api: text("api"),
    audience: text("audience"),
    environment: isPreview ? ("development" as const) : environmentOf("environment", environment),
    isPreview,
    worker: text("worker"),
    folder: text("working-directory") || ".",
    config: text("config"),
    wranglerEnvironment: text("wrangler-environment"),
    artifact: text("artifact"),
    promoteFrom: promoteFrom === "" ? undefined : environmentOf("promote-from", promoteFrom),
    deployment: text("deployment"),
    githubToken: text("github-token"),
    hasGitHubDeployment: flag("github-deployment", text("github-deployment")),
    dotdo: text("dotdo"),
  };
  if (inputs.artifact !== "" && !isPreview) throw invalid("artifact", "is only for previews", "Add `preview: true`.");
  if (inputs.promoteFrom !== undefined && isPreview) throw invalid("promote-from", "is not for previews", "Remove one of the two.");
  // They become arguments of a program, or a part of a path.
  for (const name of ["worker", "config", "wrangler-environment", "artifact", "deployment"]) {
    if (text(name).startsWith("-")) throw invalid(name, `${quoted(text(name))} begins with a hyphen`, "Correct it.");
  }
  return inputs;
}

function environmentOf(name: string, text: string): Environment {
  const found = ENVIRONMENTS.find((environment) => environment === text);
  if (found !== undefined) return found;
  const fix = `Write one of ${ENVIRONMENTS.join(", ")}, as in \`with: { ${name}: staging }\`.`;
  throw invalid(name, text === "" ? "is missing" : `is ${quoted(text)}, which is not an environment`, fix);
}

function flag(name: string, text: string): boolean {
  if (text === "true") return true;
  if (text === "false" || text === "") return false;
  throw invalid(name, `is ${quoted(text)}`, "Write true or false.");
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function invalid(name: string, reason: string, fix: string): ActionFailure {
  return new ActionFailure(`The input ${name} is not valid`, [`${name} ${reason}.`, fix]);
}
