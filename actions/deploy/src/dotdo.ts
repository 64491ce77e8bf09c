import { createHash } from "node:crypto";
import { accessSync, constants, mkdtempSync, statSync, writeFileSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

import { ActionFailure } from "../../step/failure.ts";
import { isObject } from "../../step/http.ts";
import { annotate, log } from "../../step/workflow-commands.ts";
import { type Deployment, deploymentOf } from "./deploy-api.ts";
import type { World } from "./github.ts";
import { type Ended, runProgram, variablesFor } from "./program.ts";

/** The releases of this repository. */
const RELEASES = "https://github.com/drivly/dispatch.do/releases/download";

/** The targets of `dist-workspace.toml` on which this action runs, by the platform and the architecture of Node. */
const TARGETS: Record<string, string> = {
  "darwin arm64": "aarch64-apple-darwin",
  "darwin x64": "x86_64-apple-darwin",
  "linux arm64": "aarch64-unknown-linux-gnu",
  "linux x64": "x86_64-unknown-linux-gnu",
};

/** How long the download of an archive may take, in milliseconds. */
const DOWNLOAD_TIMEOUT = 60_000;

/**
 * Finds `dotdo`: the program of the input, or the one in `PATH`, or else that of a release.
 *
 * @param folder where the program of the release is stored
 *
 * Throws an {@link ActionFailure}.
 */
export async function findDotdo(world: World, given: string, path: string, folder: string, version: string): Promise<string> {
  if (given !== "") {
    if (isProgram(given)) return given;
    throw new ActionFailure("The input dotdo is not a program", [`${given} is not an executable file.`, "Correct the path, or remove it."]);
  }
  const installed = path.split(delimiter).filter(isAbsolute).map((one) => join(one, "dotdo")).find(isProgram);
  return installed ?? (await install(world, RELEASES, version, `${process.platform} ${process.arch}`, folder));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * Downloads the program of a release, and compares the checksum of its archive.
 *
 * Throws an {@link ActionFailure}.
 */
export async function install(world: World, releases: string, version: string, machine: string, folder: string): Promise<string> {
  const target = TARGETS[machine];
  const hint = "Install it in an earlier step, and set the input dotdo to its path.";
  if (target === undefined) throw new ActionFailure("There is no dotdo for this runner", [`No release has an archive for ${machine}.`, hint]);
  const name = `dotdo-${target}.tar.gz`;
  const download = async (file: string) => {
    const address = `${releases}/v${version}/${file}`;
    const refused = (reason: string) => new ActionFailure("dotdo cannot be downloaded", [`${address}: ${reason}.`, hint]);
    let response: Response;
    try {
      response = await world.send(new URL(address), { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT) });
      if (response.status === 200) return Buffer.from(await response.arrayBuffer());
    } catch (error) {
      throw refused(String(error));
    }
    throw refused(`it was answered with the status ${response.status}`);
  };
  const [archive, checksum] = await Promise.all([download(name), download(`${name}.sha256`)]);
  const actual = createHash("sha256").update(archive).digest("hex");
  const [expected = ""] = checksum.toString("utf8").trim().split(/\s/);
  if (actual !== expected.toLowerCase()) {
    throw new ActionFailure("The archive of dotdo is damaged", [`${name} has the SHA-256 ${actual}, and its checksum is ${expected}.`, hint]);
  }
  const place = mkdtempSync(join(folder, "dotdo-"));
  writeFileSync(join(place, name), archive);
  const unpacked = await runProgram(["tar", "-xzf", name], { folder: place, variables: process.env, isShown: false });
  const program = join(place, `dotdo-${target}`, "dotdo");
  if (unpacked.code !== 0 || !isProgram(program)) {
    throw new ActionFailure("The archive of dotdo cannot be unpacked", [unpacked.errors.trim() || `${name} has no dotdo-${target}/dotdo.`, hint]);
  }
  log(`Installed dotdo ${version}.`);
  return program;
}

/** What the configuration of a Worker says, as far as a deploy needs it. */
export interface Configuration {
  /** The file. */
  file: string;
  name: string | undefined;
  /** The entry of the Worker. */
  main: string | undefined;
  /** Why it cannot be deployed, and what to do. */
  errors: string[];
}

/**
 * Checks the configuration of a Worker with `dotdo check`, and annotates each warning. Errors are for the caller, in one annotation: GitHub
 * shows only ten of a step.
 *
 * @param path the folder of the Worker, or its configuration file
 */
export async function check(dotdo: string, path: string): Promise<Configuration> {
  const ended = await runProgram([dotdo, "check", path, "--json"], { folder: ".", variables: variablesFor(process.env, {}), isShown: false });
  const json = parse(ended.output);
  if (json === undefined || !Array.isArray(json["findings"])) throw failureOf(ended, "The configuration cannot be checked");
  const text = (value: unknown) => (typeof value === "string" ? value : undefined);
  const errors: string[] = [];
  for (const { level, place, what, fix } of json["findings"].filter(isObject)) {
    const lines = [`${String(place)}: ${String(what)}`, String(fix)];
    if (level === "error") errors.push(...lines);
    else annotate("warning", "This has a condition in a namespace", lines);
  }
  return { file: String(json["file"]), name: text(json["name"]), main: text(json["main"]), errors };
}

/** A promotion: what is deployed, where and from where. */
export interface Promotion {
  worker: string;
  from: string;
  to: string;
  /** The id of the deployment to promote; empty for the current one. */
  deployment: string;
}

/**
 * Promotes a deployment with `dotdo promote`.
 *
 * Throws an {@link ActionFailure} with its explanation.
 */
export async function promote(dotdo: string, api: URL, token: string, { worker, from, to, deployment }: Promotion): Promise<Deployment> {
  const selected = deployment === "" ? [] : ["--deployment", deployment];
  const command = [dotdo, "promote", worker, "--env", to, "--from", from, ...selected, "--yes", "--json"];
  const variables = variablesFor(process.env, { DOTDO_API: api.origin, DOTDO_TOKEN: token });
  const ended = await runProgram(command, { folder: ".", variables, isShown: false });
  const deployed = ended.code === 0 ? deploymentOf(parse(ended.output)) : undefined;
  if (deployed === undefined) throw failureOf(ended, "The promotion failed");
  return deployed;
}

/** The error of the program: with `--json`, it is one JSON object on the standard error. */
function failureOf({ code, errors }: Ended, title: string): ActionFailure {
  const json = parse(errors) ?? {};
  const notes = Array.isArray(json["notes"]) ? json["notes"] : [];
  const lines = [json["error"], ...notes, json["fix"]].filter((line) => typeof line === "string");
  return new ActionFailure(title, lines.length > 0 ? lines : [errors.trim() || `dotdo ended with the exit code ${code}.`]);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}
