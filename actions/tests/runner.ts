/**
 * Runs a job as the runner of GitHub Actions does, as far as the actions of this repository depend on it: variables and inputs,
 * workflow commands, the files of a step, masked values, conditions, permissions and post steps.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { parse } from "yaml";

const REPOSITORY = fileURLToPath(new URL("../..", import.meta.url));

/** How workflows refer to the actions of this repository. */
const OWN_ACTION = /^(?:\.|drivly\/dispatch\.do)\/(actions\/[a-z]+)(?:@.+)?$/;

const FILES = ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE", "GITHUB_STEP_SUMMARY"] as const;

export type Variables = Record<string, string | undefined>;

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
  env?: Record<string, unknown>;
  if?: string;
}

export interface Job {
  permissions?: Record<string, string>;
  env?: Record<string, unknown>;
  steps: Step[];
}

/** What a person and later steps see of a job. */
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
}

/** The only job of a workflow, with the permissions and variables of the workflow. */
export function jobOf(workflow: string): Job {
  const document = parse(workflow);
  const [job, ...others] = Object.values<Job>(document.jobs);
  if (job === undefined || others.length > 0) throw new Error("the workflow has another number of jobs than one");
  return {
    ...job,
    permissions: { ...document.permissions, ...job.permissions },
    env: { ...document.env, ...job.env },
  };
}

/**
 * Runs a job.
 *
 * @param variables those of the runner. `ACTIONS_ID_TOKEN_REQUEST_…` reach the steps only with the permission `id-token: write`.
 * @param folder the checkout
 * @param temporary an empty folder for the files of the runner; they are kept
 */
export async function runJob(job: Job, variables: Variables, folder: string, temporary: string): Promise<Finished> {
  return new Runner(job, variables, folder, temporary).run();
}

class Runner {
  readonly #job: Job;
  readonly #folder: string;
  readonly #temporary: string;
  readonly #finished: Finished = {
    succeeded: true,
    log: "",
    annotations: [],
    summary: "",
    masked: new Set(),
    variables: {},
  };
  readonly #base: Variables;
  /** The post steps in the order of their main steps. */
  readonly #posts: (() => Promise<void>)[] = [];
  #count = 0;

  constructor(job: Job, variables: Variables, folder: string, temporary: string) {
    this.#job = job;
    this.#folder = folder;
    this.#temporary = temporary;
    this.#base = { ...variables };
    if (job.permissions?.["id-token"] !== "write") {
      delete this.#base["ACTIONS_ID_TOKEN_REQUEST_URL"];
      delete this.#base["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
    }
    this.#finished.variables = texts(job.env);
  }

  async run(): Promise<Finished> {
    for (const step of this.#job.steps) {
      if (!this.#finished.succeeded && step.if !== "always()") continue;
      const own = OWN_ACTION.exec(step.uses ?? "")?.[1];
      if (own !== undefined) await this.#runAction(own, step);
      else if (step.run !== undefined) await this.#runScript(step);
    }
    for (const post of this.#posts.reverse()) await post();
    return this.#finished;
  }

  async #runAction(path: string, step: Step): Promise<void> {
    const folder = join(REPOSITORY, path);
    const action = parse(readFileSync(join(folder, "action.yml"), "utf8"));
    const inputs: Variables = {};
    for (const [name, { default: value }] of Object.entries<{ default?: unknown }>(action.inputs)) {
      inputs[`INPUT_${name.toUpperCase()}`] = String(step.with?.[name] ?? value ?? "");
    }
    const environment = { ...texts(step.env), ...inputs };
    const state: Variables = {};
    const program = (entry: string) => [process.execPath, join(folder, entry)];
    if (action.runs.post) {
      this.#posts.push(() => this.#runProgram(program(action.runs.post), { ...environment, ...state }, {}));
    }
    await this.#runProgram(program(action.runs.main), environment, state);
  }

  async #runScript(step: Step): Promise<void> {
    const script = join(this.#temporary, `script-${this.#count}.sh`);
    writeFileSync(script, String(step.run));
    await this.#runProgram(["bash", "-e", script], texts(step.env), {});
  }

  async #runProgram([program = "", ...options]: string[], environment: Variables, state: Variables): Promise<void> {
    const files = this.#newFiles();
    const child = spawn(program, options, {
      cwd: this.#folder,
      env: { ...this.#base, ...this.#finished.variables, ...environment, ...files },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const status = new Promise<number | null>((resolve, reject) => child.once("close", resolve).once("error", reject));
    await Promise.all([child.stdout, child.stderr].map((stream) => this.#read(stream)));
    if ((await status) !== 0) this.#finished.succeeded = false;
    Object.assign(this.#finished.variables, readVariables(files.GITHUB_ENV));
    for (const [name, value] of Object.entries(readVariables(files.GITHUB_STATE))) state[`STATE_${name}`] = value;
    this.#finished.summary += readFileSync(files.GITHUB_STEP_SUMMARY, "utf8");
  }

  #newFiles(): Record<(typeof FILES)[number], string> {
    const folder = join(this.#temporary, `step-${this.#count++}`);
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
    const command = /^\s*::([a-z-]+)(?: (.*?))?::(.*)$/.exec(line);
    if (command === null) {
      // The older form of a command, anywhere in the line, is still processed.
      if (line.includes("##[")) this.#finished.annotations.push({ level: "##[", title: "", message: line });
      this.#print(line);
      return;
    }
    const [, name = "", properties = "", message = ""] = command;
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

function texts(values: Record<string, unknown> | undefined): Variables {
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, String(value)]));
}
