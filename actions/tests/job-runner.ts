/**
 * Runs a job as the runner of GitHub Actions does, as far as the actions of this repository depend on it: variables and inputs, conditions,
 * workflow commands, the files of a step, masked values, and post steps.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { parse } from "yaml";

import { type Contexts, evaluated, interpolated, isTrue, textOf } from "./expressions.ts";

/** The root of this repository. */
export const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** How workflows refer to the actions of this repository. */
const OWN_ACTION = /^(?:\.|drivly\/dispatch\.do)\/(actions\/[a-z]+)(?:@.+)?$/;

const FILES = ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"] as const;

export type Variables = Record<string, string | undefined>;

export type Values = Record<string, unknown>;

export interface Step {
  id?: string;
  name?: string;
  uses?: string;
  run?: string;
  with?: Values;
  env?: Values;
  if?: string;
  "working-directory"?: string;
}

export interface Job {
  if?: string;
  needs?: string | string[];
  uses?: string;
  with?: Values;
  permissions?: Record<string, string>;
  environment?: string | Values;
  "timeout-minutes"?: number;
  outputs?: Values;
  env?: Values;
  defaults?: { run?: { "working-directory"?: string } };
  steps?: Step[];
}

/** What a person and later steps see of a job, or of all jobs of a workflow. */
export interface Finished {
  succeeded: boolean;
  /** The log, with masked values. */
  log: string;
  /** The commands of the step, such as `error`, with the texts as a person sees them. */
  annotations: { level: string; title: string; message: string }[];
  summary: string;
  /** The values that were masked. */
  masked: Set<string>;
  /** The variables that the steps set for later steps. */
  variables: Variables;
  /** The outputs of the job. */
  outputs: Values;
}

/** Where workflows run. */
export interface Place {
  /** Those of the runner. `ACTIONS_ID_TOKEN_REQUEST_…` reach the steps only with the permission `id-token: write`. */
  variables: Variables;
  /** The checkout. */
  folder: string;
  /** An empty folder for the files of the runner; they are kept. */
  temporary: string;
  /** Members of the context `github` that are not in the variables: `token` and `event`. */
  github?: Values;
  /** Called for `actions/upload-artifact`, with its inputs. */
  upload?: (inputs: Values) => void;
  /** Called before the first step of a job with its permissions and its environment, for which reviewers could be waited. */
  starting?: (job: string, permissions: Record<string, string>, environment: string) => void;
}

/** The permissions of a job. Without any, a job gets more than it needs, so each workflow must name them. */
export type Permissions = Record<string, string>;

/** Whether the condition of a step or a job is met; without one, all before it must have succeeded. */
export function isMet(condition: string | undefined, contexts: Contexts): boolean {
  const expression = (condition ?? "").replace(/^\$\{\{(.*)\}\}$/s, "$1").trim();
  const isAboutStatus = /\b(always|success|failure|cancelled)\(\)/.test(expression);
  if (!isAboutStatus && !isTrue(evaluated("success()", contexts))) return false;
  return expression === "" || isTrue(evaluated(expression, contexts));
}

/** A result without anything. */
export function finished(): Finished {
  return { succeeded: true, log: "", annotations: [], summary: "", masked: new Set(), variables: {}, outputs: {} };
}

/** The number of the next folder for the files of a step, over all jobs. */
let count = 0;

/** One run of a job. */
export class JobRunner {
  readonly #job: Job;
  readonly #place: Place;
  readonly #finished: Finished;
  readonly #base: Variables;
  readonly #contexts: Contexts;
  readonly #steps: Record<string, { outputs: Variables; outcome: string }> = {};
  /** The post steps in the order of their main steps. */
  readonly #posts: (() => Promise<void>)[] = [];
  /** The token with which a step stopped commands. */
  #stopped: string | undefined;

  constructor(job: Job, place: Place, permissions: Permissions, contexts: Contexts, result: Finished) {
    this.#job = job;
    this.#place = place;
    this.#finished = result;
    const temp = join(place.temporary, "temp");
    mkdirSync(temp, { recursive: true });
    this.#base = { ...place.variables, RUNNER_TEMP: temp };
    if (permissions["id-token"] !== "write") {
      delete this.#base["ACTIONS_ID_TOKEN_REQUEST_URL"];
      delete this.#base["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    }
    this.#contexts = { ...contexts, steps: this.#steps, env: this.#finished.variables, runner: { temp } };
    Object.assign(this.#finished.variables, this.#texts(job.env));
  }

  async run(): Promise<void> {
    for (const step of this.#job.steps ?? []) {
      this.#contexts["status"] = { success: this.#finished.succeeded, failure: !this.#finished.succeeded, cancelled: false };
      if (!isMet(step.if, this.#contexts)) continue;
      const own = OWN_ACTION.exec(step.uses ?? "")?.[1];
      if (own !== undefined) await this.#runAction(own, step);
      else if (step.run !== undefined) await this.#runScript(step);
      else if (step.uses?.startsWith("actions/upload-artifact@")) this.#place.upload?.(this.#interpolated(step.with));
    }
    for (const post of this.#posts.reverse()) await post();
    // The runner leaves out an output that contains a masked value.
    const outputs = Object.entries(this.#interpolated(this.#job.outputs));
    const isShown = (value: unknown) => [...this.#finished.masked].every((masked) => !textOf(value).includes(masked));
    this.#finished.outputs = Object.fromEntries(outputs.filter(([, value]) => isShown(value)));
  }

  async #runAction(path: string, step: Step): Promise<void> {
    const folder = join(REPOSITORY, path);
    const action = parse(readFileSync(join(folder, "action.yml"), "utf8"));
    const given = this.#interpolated(step.with);
    const unknown = Object.keys(given).filter((name) => !(name in action.inputs));
    if (unknown.length > 0) throw new Error(`${path} has no input ${unknown.join(", ")}`);
    const inputs: Variables = {};
    for (const [name, { default: value }] of Object.entries<{ default?: unknown }>(action.inputs)) {
      inputs[`INPUT_${name.toUpperCase()}`] = textOf(given[name] ?? interpolated(value, this.#contexts));
    }
    const environment = { ...this.#texts(step.env), ...inputs };
    const state: Variables = {};
    const program = (entry: string) => [process.execPath, join(folder, entry)];
    if (action.runs.post) {
      this.#posts.push(() => this.#runProgram(program(action.runs.post), { ...environment, ...state }, {}));
    }
    await this.#runProgram(program(action.runs.main), environment, state, step);
  }

  async #runScript(step: Step): Promise<void> {
    const script = join(this.#place.temporary, `script-${count}.sh`);
    writeFileSync(script, textOf(interpolated(step.run, this.#contexts)));
    await this.#runProgram(["bash", "-e", script], this.#texts(step.env), {}, step);
  }

  async #runProgram([program = "", ...options]: string[], environment: Variables, state: Variables, step: Step = {}): Promise<void> {
    const files = this.#newFiles();
    // Only scripts have a working directory.
    const below = step.run === undefined ? "" : (step["working-directory"] ?? this.#job.defaults?.run?.["working-directory"] ?? "");
    const child = spawn(program, options, {
      cwd: resolve(this.#place.folder, textOf(interpolated(below, this.#contexts))),
      env: { ...this.#base, ...this.#finished.variables, ...environment, ...files },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const status = new Promise<number | null>((resolve, reject) => child.once("close", resolve).once("error", reject));
    await Promise.all([child.stdout, child.stderr].map((stream) => this.#read(stream)));
    const hasFailed = (await status) !== 0;
    if (hasFailed) this.#finished.succeeded = false;
    this.#stopped = undefined;
    Object.assign(this.#finished.variables, readVariables(files.GITHUB_ENV));
    for (const [name, value] of Object.entries(readVariables(files.GITHUB_STATE))) state[`STATE_${name}`] = value;
    if (step.id !== undefined) this.#steps[step.id] = { outputs: readVariables(files.GITHUB_OUTPUT), outcome: hasFailed ? "failure" : "success" };
    this.#finished.summary += readFileSync(files.GITHUB_STEP_SUMMARY, "utf8");
  }

  #newFiles(): Record<(typeof FILES)[number], string> {
    const folder = join(this.#place.temporary, `step-${count++}`);
    mkdirSync(folder);
    const paths = FILES.map((name) => {
      writeFileSync(join(folder, name), "");
      return [name, join(folder, name)] as const;
    });
    return Object.fromEntries(paths) as Record<(typeof FILES)[number], string>;
  }

  async #read(stream: NodeJS.ReadableStream): Promise<void> {
    let rest = "";
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#line(line);
    }
    if (rest !== "") this.#line(rest);
  }

  #line(line: string): void {
    if (this.#stopped !== undefined) {
      if (line.trim() === `::${this.#stopped}::`) this.#stopped = undefined;
      else this.#print(line);
      return;
    }
    const command = /^\s*::([a-z-]+)(?: (.*?))?::(.*)$/.exec(line);
    if (command === null) {
      // The older form of a command, anywhere in the line, is still processed.
      if (line.includes("##[")) this.#finished.annotations.push({ level: "##[", title: "", message: line });
      this.#print(line);
      return;
    }
    const [, name = "", properties = "", message = ""] = command;
    if (name === "stop-commands") {
      this.#stopped = message;
      return;
    }
    if (name === "add-mask") {
      for (const value of unescape(message).split(/\r?\n/)) if (value !== "") this.#finished.masked.add(value);
      return;
    }
    const title = /title=([^,]*)/.exec(properties)?.[1] ?? "";
    this.#finished.annotations.push({ level: name, title: unescape(title), message: unescape(message) });
    this.#print(`##[${name}]${unescape(message)}`);
  }

  #print(text: string): void {
    let line = text;
    for (const value of this.#finished.masked) line = line.replaceAll(value, "***");
    this.#finished.log += `${line}\n`;
  }

  #interpolated(values: Values | undefined): Values {
    return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, interpolated(value, this.#contexts)]));
  }

  #texts(values: Values | undefined): Variables {
    return Object.fromEntries(Object.entries(this.#interpolated(values)).map(([name, value]) => [name, textOf(value)]));
  }
}

/** Reads `NAME=value` and `NAME<<DELIMITER` of a file of the runner. */
function readVariables(path: string): Variables {
  const variables: Variables = {};
  const lines = readFileSync(path, "utf8").split(/\r?\n/);
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line === "") continue;
    const [, name = "", operator = "", value = ""] = /^(.*?)(=|<<)(.*)$/.exec(line) ?? [];
    if (operator === "") throw new Error(`${path}: the runner rejects the line ${line}`);
    if (operator === "=") {
      variables[name] = value;
      continue;
    }
    const end = lines.indexOf(value);
    if (end < 0) throw new Error(`${path}: the delimiter ${value} is missing`);
    variables[name] = lines.splice(0, end + 1).slice(0, -1).join("\n");
  }
  return variables;
}

function unescape(text: string): string {
  return text
    .replaceAll("%0D", "\r")
    .replaceAll("%0A", "\n")
    .replaceAll("%3A", ":")
    .replaceAll("%2C", ",")
    .replaceAll("%25", "%");
}
