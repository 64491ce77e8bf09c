/** The main step: deploys, promotes, or deletes a preview, and shows the result on GitHub. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { ActionFailure } from "../../step/failure.ts";
import { addToSummary, annotate, log, setVariable } from "../../step/workflow-commands.ts";
import { realWorld } from "../../login/src/login.ts";
import { summaryOf } from "../../login/src/summary.ts";
import { download } from "./artifact.ts";
import { type Credentials, preparedLogin } from "./credentials.ts";
import { DeployApi, type Deployment } from "./deploy-api.ts";
import { check, type Configuration, findDotdo, promote } from "./dotdo.ts";
import { GitHub } from "./github.ts";
import { type Inputs, inputsOf } from "./inputs.ts";
import { Pages } from "./pages.ts";
import { NAMESPACES, VERSION } from "./platform.ts";
import { type Current, currentState, needsLabel, previewedBy, refuseBuildWithRights, stateFor, whyOutdated } from "./pull-request.ts";
import { type Changes, changesOf } from "./report.ts";
import { type PullRequest, type Run, runOf } from "./run.ts";
import { deploy } from "./wrangler.ts";

const world = realWorld;

/** The characters of the name of a Worker, which has at most 63. It becomes a part of paths and of the comment. */
const NAME = /^[a-z0-9-]{1,63}$/;

/** The folder for temporary files, which the runner empties. */
function temporary(): string {
  return process.env["RUNNER_TEMP"] || tmpdir();
}

async function main(): Promise<void> {
  const began = Date.now();
  if (process.platform === "win32") {
    throw new ActionFailure("The action does not run on Windows", ["Set `runs-on: ubuntu-latest`, or use actions/login and wrangler."]);
  }
  const inputs = inputsOf(process.env);
  const run = runOf(process.env);
  const isDeletion = inputs.isPreview && run.action === "closed";
  refuseBuildWithRights(run, !isDeletion && inputs.artifact === "" && inputs.promoteFrom === undefined);
  const pullRequest = inputs.isPreview ? previewedBy(run) : undefined;
  // First, because it explains why a run, such as that of a fork, cannot deploy.
  const logIn = preparedLogin(inputs, process.env);
  const github = new GitHub(world, process.env["GITHUB_API_URL"] ?? "", run.repository, inputs.githubToken);
  // At the same time as the check of the configuration.
  const reading = read(github, run, pullRequest, inputs);
  reading.catch(() => undefined);
  const dotdo = await findDotdo(world, inputs.dotdo, process.env["PATH"] ?? "", temporary(), VERSION);
  const needsConfiguration = inputs.worker === "" || (inputs.promoteFrom === undefined && !isDeletion);
  const configuration = needsConfiguration ? await check(dotdo, resolve(inputs.folder, inputs.config)) : undefined;
  const worker = nameOf(inputs.worker || configuration?.name, pullRequest);
  setVariable("GITHUB_OUTPUT", "worker", worker);
  const pages = new Pages(github, inputs, run, worker, began);
  const current = await reading;
  if (isDeletion && current?.isOpen) return log(`The pull request is open again: the preview ${worker} is kept.`);
  const outdated = isDeletion || current === undefined ? undefined : whyOutdated(run, current);
  if (outdated !== undefined) throw outdated;
  const shown = isDeletion ? undefined : pages.begin();
  let deployment: Deployment | undefined;
  try {
    const credentials = await logIn();
    const api = new DeployApi(world, credentials, NAMESPACES[inputs.environment], worker);
    if (isDeletion) {
      const existed = await api.delete();
      log(existed ? `Deleted the preview ${worker}.` : `There is no preview ${worker}.`);
      return await pages.end(pages.report("deleted"));
    }
    deployment = await change({ inputs, run, pullRequest, credentials, dotdo, configuration, worker, github });
    const { id } = deployment;
    setVariable("GITHUB_OUTPUT", "deployment", id);
    // At the same time, because the job waits for both.
    const verified = verify(api, id);
    verified.catch(() => undefined);
    // If another run deleted the preview meanwhile, this one has created it again.
    if (pullRequest !== undefined && current !== undefined && (await currentState(github, pullRequest, false))?.isOpen === false) {
      await api.delete();
      await shown;
      log(`The pull request was closed during the deploy: deleted the preview ${worker}.`);
      return await pages.end(pages.report("deleted"));
    }
    const { details, changes } = await inspect(api, deployment);
    deployment = details;
    setVariable("GITHUB_OUTPUT", "url", deployment.urls[0] ?? "");
    setVariable("GITHUB_OUTPUT", "urls", JSON.stringify(deployment.urls));
    if (changes !== undefined) setVariable("GITHUB_OUTPUT", "changes", JSON.stringify(changes));
    await verified;
    for (const { code, message } of deployment.warnings) annotate("warning", code, [message]);
    await shown;
    const status = inputs.promoteFrom === undefined ? "deployed" : "promoted";
    await pages.end(pages.report(status, { deployment, changes }));
    log(`${worker} is ${status}: deployment ${id}, ${deployment.urls.join(" ")}`);
  } catch (error) {
    await shown;
    const failure = failureOf(error);
    annotate("error", failure.title, failure.lines);
    await pages.end(pages.report("failed", { deployment, failure }));
    process.exitCode = 1;
  }
}

/** The pull request of a preview, as it is now; undefined without one, or if it cannot be read and need not be. */
async function read(github: GitHub, run: Run, pullRequest: PullRequest | undefined, inputs: Inputs): Promise<Current | undefined> {
  if (pullRequest === undefined || (inputs.githubToken === "" && !needsLabel(run))) return undefined;
  return await stateFor(github, run, pullRequest, world.pause);
}

interface Step {
  inputs: Inputs;
  run: Run;
  pullRequest: PullRequest | undefined;
  credentials: Credentials;
  dotdo: string;
  configuration: Configuration | undefined;
  worker: string;
  github: GitHub;
}

/** Deploys or promotes. */
async function change({ inputs, run, pullRequest, credentials, dotdo, configuration, worker, github }: Step): Promise<Deployment> {
  if (inputs.promoteFrom !== undefined) {
    const promotion = { worker, from: inputs.promoteFrom, to: inputs.environment, deployment: inputs.deployment };
    return promote(dotdo, credentials.api, credentials.token, promotion);
  }
  const errors = configuration?.errors ?? [];
  if (errors.length > 0) throw new ActionFailure("The configuration is not for a namespace", errors);
  let built: string | undefined;
  if (inputs.artifact !== "" && pullRequest !== undefined) {
    const folder = mkdtempSync(join(temporary(), "modules-"));
    built = await download(github, run, pullRequest, { name: inputs.artifact, main: configuration?.main, folder });
  }
  const upload = {
    worker,
    namespace: NAMESPACES[inputs.environment],
    folder: resolve(inputs.folder),
    // With another entry, wrangler looks for the configuration in the folder of the entry, which the author of the artifact wrote.
    config: built === undefined ? inputs.config : (configuration?.file ?? inputs.config),
    environment: inputs.wranglerEnvironment,
    built,
  };
  const id = await deploy(upload, credentials, temporary());
  return { id, urls: [], size: 0, startup: undefined, bindings: new Map(), modules: new Map(), previous: undefined, warnings: [] };
}

/** What the deploy API recorded about a deployment, and what changed. */
async function inspect(api: DeployApi, deployment: Deployment): Promise<{ details: Deployment; changes: Changes | undefined }> {
  const details = await api.deployment(deployment.id);
  if (details === undefined) {
    annotate("warning", "The deployment cannot be shown", ["The rule of the policy does not allow `read`.", "Add it to the actions of the rule."]);
    return { details: deployment, changes: undefined };
  }
  const before = details.previous === undefined ? undefined : await api.deployment(details.previous);
  return { details, changes: changesOf(before, details) };
}

async function verify(api: DeployApi, id: string): Promise<void> {
  const reason = await api.verify(id);
  if (reason === undefined) return;
  throw new ActionFailure("The deployed Worker is not served", [
    reason,
    `Deployment ${id} was uploaded. See its log with \`dotdo logs\`, and go back with \`dotdo rollback\`.`,
  ]);
}

/** The name of the Worker: a preview has the number of its pull request. */
function nameOf(name: string | undefined, pullRequest: PullRequest | undefined): string {
  if (name === undefined || name === "") {
    throw new ActionFailure("The Worker has no name", ["The configuration has no name.", "Add it, or set the input worker."]);
  }
  const full = pullRequest === undefined ? name : `${name}-pr-${pullRequest.number}`;
  if (NAME.test(full)) return full;
  throw new ActionFailure("The name of the Worker is not valid", [
    `${JSON.stringify(full)} does not have 1 to 63 characters of a-z, 0-9 and "-".`,
    "Change name in the configuration, or set the input worker.",
  ]);
}

function failureOf(error: unknown): ActionFailure {
  if (error instanceof ActionFailure) return error;
  return new ActionFailure("The deploy failed", [error instanceof Error ? error.message : String(error)]);
}

try {
  await main();
} catch (error) {
  const failure = failureOf(error);
  annotate("error", failure.title, failure.lines);
  addToSummary(summaryOf("Deploy failed", failure));
  process.exitCode = 1;
}
