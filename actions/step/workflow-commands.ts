/**
 * What a step tells the runner: workflow commands on the standard output, and lines in files.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */

import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { EOL } from "node:os";

/** A file that the runner reads after the step, by the variable with its path. */
export type RunnerFile = "GITHUB_ENV" | "GITHUB_OUTPUT" | "GITHUB_STATE" | "GITHUB_STEP_SUMMARY";

/** The values that this program masked. */
const secrets = new Set<string>();

/** Replaces a value by `***` in the log of all later steps. */
export function mask(value: string): void {
  if (value !== "") secrets.add(value);
  command(`::add-mask::${escapeMessage(value)}`);
}

/** A text with `***` in place of the values that this program masked: the runner replaces them in the log, and not in a comment. */
export function withoutSecrets(text: string): string {
  return [...secrets].reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
}

/** Annotates the run. The lines are shown as one message. */
export function annotate(level: "error" | "warning" | "notice", title: string, lines: readonly string[]): void {
  command(`::${level} title=${escapeProperty(title)}::${escapeMessage(lines.join("\n"))}`);
}

/** Writes one line to the log, which the runner cannot mistake for a command. */
export function log(text: string): void {
  write(withoutCommands(text));
}

/** Sets a variable for the later steps (`GITHUB_ENV`) or for the post step of this action (`GITHUB_STATE`), or an output (`GITHUB_OUTPUT`). */
export function setVariable(file: "GITHUB_ENV" | "GITHUB_OUTPUT" | "GITHUB_STATE", name: string, value: string): void {
  const delimiter = `delimiter_${randomUUID()}`;
  append(file, [`${name}<<${delimiter}`, value, delimiter].join(EOL) + EOL);
}

/** The commands of this program while the runner looks for none; undefined while it does. */
let held: string[] | undefined;

/**
 * Makes the runner ignore commands in the log, until the returned function is called: another program writes to it. Commands of this program
 * are written then.
 */
export function stopCommands(): () => void {
  const token = randomUUID();
  write(`::stop-commands::${token}`);
  held = [];
  return () => {
    const commands = held ?? [];
    held = undefined;
    for (const line of [`::${token}::`, ...commands]) write(line);
  };
}

/** Adds Markdown to the summary of the job. Does nothing on a runner without summaries. */
export function addToSummary(markdown: string): void {
  if (process.env["GITHUB_STEP_SUMMARY"]) append("GITHUB_STEP_SUMMARY", markdown + EOL);
}

function append(file: RunnerFile, text: string): void {
  const path = process.env[file];
  if (!path) throw new Error(`${file} is not set: this program runs as a step of GitHub Actions`);
  appendFileSync(path, text, "utf8");
}

function command(line: string): void {
  if (held === undefined) write(line);
  else held.push(line);
}

function write(line: string): void {
  process.stdout.write(line + EOL);
}

/**
 * The runner looks for `::` at the start of a line, after spaces, and for `##[` anywhere in it.
 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 */
function withoutCommands(text: string): string {
  const line = text.replace(/\p{Cc}/gu, "\u{fffd}").replaceAll("##[", "##\u{200b}[");
  return line.trimStart().startsWith("::") ? `\u{200b}${line.trimStart()}` : line;
}

function escapeMessage(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
