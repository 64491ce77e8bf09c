import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";

import { ActionFailure } from "../../step/failure.ts";
import { isObject } from "../../step/http.ts";
import type { Credentials } from "./credentials.ts";
import { type Ended, runProgram, variablesFor } from "./program.ts";

/** The most lines of an error of wrangler in an annotation. */
const MAX_LINES = 40;

/**
 * A path at which there is no runtime. If an upload is refused because of its start-up, wrangler executes the modules on this machine to profile
 * them. Those of a fork must not be executed.
 */
const NO_RUNTIME = "/dev/null/workerd";

/** What wrangler deploys. */
export interface Upload {
  worker: string;
  /** The dispatch namespace. */
  namespace: string;
  /** The folder in which wrangler runs. */
  folder: string;
  /** The configuration file; empty for the one in the folder. */
  config: string;
  /** The environment of the configuration; empty for none. */
  environment: string;
  /** A module that is uploaded as it is, with the modules in its folder, in place of a build. */
  built: string | undefined;
}

/**
 * Runs the stock `wrangler deploy` of the repository, and returns the id of the deployment.
 *
 * @param temporary a folder for the file with wrangler's result
 *
 * Throws an {@link ActionFailure} with wrangler's error.
 */
export async function deploy(upload: Upload, credentials: Credentials, temporary: string): Promise<string> {
  const result = join(temporary, `wrangler-${randomUUID()}.ndjson`);
  const variables = variablesFor(process.env, {
    CLOUDFLARE_API_BASE_URL: `${credentials.api.origin}/client/v4`,
    CLOUDFLARE_API_TOKEN: credentials.token,
    CLOUDFLARE_ACCOUNT_ID: credentials.account,
    WRANGLER_OUTPUT_FILE_PATH: result,
    ...(upload.built === undefined ? {} : { MINIFLARE_WORKERD_PATH: NO_RUNTIME }),
  });
  let ended: Ended;
  try {
    ended = await runProgram(command(upload), { folder: upload.folder, variables, isShown: true });
  } catch (error) {
    throw new ActionFailure("wrangler cannot be started", [String(error), "The runner needs Node and npm: use actions/setup-node."]);
  }
  if (ended.code !== 0) throw failureOf(ended);
  const id = resultOf(result);
  rmSync(result, { force: true });
  if (id === undefined) {
    throw new ActionFailure("wrangler reports no deployment", ["It ended without an error, and without the id of a version.", "Update wrangler: 4.86 and later work."]);
  }
  return id;
}

/** The name is always an option, because wrangler adds the environment of the configuration to a name of the configuration. */
function command({ worker, namespace, config, environment, built }: Upload): string[] {
  return [
    "npx",
    // It must be the version in the lock file, and not the newest one.
    "--no-install",
    "wrangler",
    "deploy",
    ...(built === undefined ? [] : [built, "--no-bundle"]),
    ...(config === "" ? [] : ["--config", config]),
    ...(environment === "" ? [] : ["--env", environment]),
    "--name",
    worker,
    "--dispatch-namespace",
    namespace,
  ];
}

/** The id of the deployment in the file that wrangler writes, one JSON object a line. */
function resultOf(file: string): string | undefined {
  let lines: string[];
  try {
    lines = readFileSync(file, "utf8").split("\n");
  } catch {
    return undefined;
  }
  for (const line of lines.filter((one) => one !== "")) {
    const entry = parse(line);
    if (isObject(entry) && entry["type"] === "deploy" && typeof entry["version_id"] === "string") return entry["version_id"];
  }
  return undefined;
}

/** `undefined` if the line is not JSON: the build of the Worker can write to the file, too. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** wrangler's last error. Its output can be in any of the two streams. */
function failureOf({ code, output, errors }: Ended): ActionFailure {
  const all = stripVTControlCharacters(`${output}\n${errors}`);
  if (/npx canceled|could not determine executable|canceled due to missing packages/.test(all)) {
    return new ActionFailure("wrangler is not installed", [
      "The checkout has no wrangler in its node_modules.",
      "Add it with `npm install --save-dev wrangler`, and run `npm ci` before this step.",
    ]);
  }
  const start = all.lastIndexOf("[ERROR]");
  const lines = (start < 0 ? all : all.slice(start + "[ERROR]".length))
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line.trim() !== "" && !line.includes("Logs were written to"));
  const shown = start < 0 ? lines.slice(-MAX_LINES) : lines.slice(0, MAX_LINES);
  return new ActionFailure("wrangler could not deploy the Worker", shown.length > 0 ? shown.map((line) => line.trim()) : [`It ended with the exit code ${code}.`]);
}
