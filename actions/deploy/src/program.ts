import { type ChildProcess, spawn } from "node:child_process";

import { stopCommands, withoutSecrets } from "../../step/workflow-commands.ts";

/** How much of the end of the output is kept, in characters: of a program whose output is shown, for its last error, and of another one. */
const KEPT_OF_SHOWN = 64 * 1024;
const KEPT = 16 * 1024 * 1024;

/** A program that ended. */
export interface Ended {
  /** The exit code; null if a signal ended it. */
  code: number | null;
  /** The standard output, without the secrets of this step. */
  output: string;
  /** The standard error, also without them. */
  errors: string;
}

/** Variables of this step that no other program needs: its inputs, one of which is GitHub's token, and how to request OIDC tokens. */
const OWN_VARIABLES = /^(INPUT_|STATE_|ACTIONS_ID_TOKEN_REQUEST_|ACTIONS_RUNTIME_TOKEN$)/;

/** The variables for another program. */
export function variablesFor(variables: NodeJS.ProcessEnv, added: Record<string, string>): NodeJS.ProcessEnv {
  const kept = Object.entries(variables).filter(([name]) => !OWN_VARIABLES.test(name));
  return { ...Object.fromEntries(kept), ...added };
}

/**
 * Runs a program, and keeps the end of its output.
 *
 * @param isShown whether the output is also written to the log, where it cannot be a workflow command
 *
 * Throws the `Error` of the system if it cannot be started.
 */
export async function runProgram(
  [program = "", ...options]: readonly string[],
  { folder, variables, isShown }: { folder: string; variables: NodeJS.ProcessEnv; isShown: boolean },
): Promise<Ended> {
  // With its own process group, so that a cancelled step can end all of its processes.
  const child = spawn(program, options, { cwd: folder, env: variables, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const proceed = endWithThisProcess(child);
  const ended = new Promise<number | null>((resolve, reject) => child.once("close", resolve).once("error", reject));
  const resume = isShown ? stopCommands() : undefined;
  const read = async (stream: NodeJS.ReadableStream) => {
    let kept = "";
    for await (const chunk of stream.setEncoding("utf8")) {
      if (isShown) process.stdout.write(chunk);
      kept = (kept + String(chunk)).slice(isShown ? -KEPT_OF_SHOWN : -KEPT);
    }
    // The line that ends the pause of commands is a line of its own.
    if (isShown && kept !== "" && !kept.endsWith("\n")) process.stdout.write("\n");
    return kept;
  };
  try {
    const [code, output, errors] = await Promise.all([ended, read(child.stdout), read(child.stderr)]);
    return { code, output: withoutSecrets(output), errors: withoutSecrets(errors) };
  } finally {
    resume?.();
    proceed();
  }
}

/**
 * Ends a program and its processes when the runner cancels the step, which ends only this process: it must not deploy after that. Returns a
 * function that stops it.
 *
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
 */
function endWithThisProcess({ pid }: ChildProcess): () => void {
  const signals = ["SIGINT", "SIGTERM"] as const;
  const end = (signal: NodeJS.Signals) => {
    proceed();
    try {
      if (pid !== undefined) process.kill(-pid, "SIGTERM");
    } catch {
      // It has ended.
    }
    process.kill(process.pid, signal);
  };
  const proceed = () => signals.forEach((signal) => process.off(signal, end));
  for (const signal of signals) process.on(signal, end);
  return proceed;
}
