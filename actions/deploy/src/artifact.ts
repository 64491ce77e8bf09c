import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { ActionFailure } from "../../step/failure.ts";
import { isObject } from "../../step/http.ts";
import type { GitHub } from "./github.ts";
import type { PullRequest, Run } from "./run.ts";
import { readArchive } from "./archive.ts";

/** The longest archive that is downloaded, in bytes. */
const LONGEST_ARCHIVE = 16 * 1024 * 1024;

/**
 * Downloads the artifact that a run for exactly this commit uploaded, writes its modules to a folder, and returns the path of the entry.
 * Everything in it was written by the author of the pull request, also its build: nothing of it is executed.
 *
 * Throws an {@link ActionFailure}.
 *
 * @param main `main` in the configuration of the base branch
 * @param folder an empty folder outside of the checkout
 */
export async function download(
  github: GitHub,
  run: Run,
  pullRequest: PullRequest,
  { name, main, folder }: { name: string; main: string | undefined; folder: string },
): Promise<string> {
  if (main === undefined) {
    throw new ActionFailure("The configuration has no main", ["The entry of the artifact has the name of main.", "Add main to the configuration of the base branch."]);
  }
  const { id, size } = await find(github, run, pullRequest, name);
  const tooLarge = (bytes: unknown) =>
    new ActionFailure("The artifact is too large", [`${name} has ${String(bytes)} bytes; at most ${LONGEST_ARCHIVE} are allowed.`]);
  if (typeof size !== "number" || size > LONGEST_ARCHIVE) throw tooLarge(size);
  const archive = await github.download(`/actions/artifacts/${id}/zip`, LONGEST_ARCHIVE);
  const modules = await readArchive(archive);
  const entry = entryOf(main, [...modules.keys()]);
  for (const [path, content] of modules) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    // A second file of this path is an error.
    writeFileSync(file, content, { flag: "wx" });
  }
  return join(folder, entry);
}

async function find(github: GitHub, run: Run, { headRepository }: PullRequest, name: string): Promise<{ id: number; size: unknown }> {
  const query = { head_sha: run.commit, event: "pull_request", status: "success", per_page: "100" };
  const { workflow_runs: found } = await github.get("/actions/runs", query);
  for (const candidate of Array.isArray(found) ? found.filter(isObject) : []) {
    const repository = isObject(candidate["head_repository"]) ? candidate["head_repository"]["id"] : undefined;
    // Another fork can have the same commit, and an artifact of its own build.
    if (candidate["head_sha"] !== run.commit || headRepository === undefined || repository !== headRepository) continue;
    const { artifacts } = await github.get(`/actions/runs/${Number(candidate["id"])}/artifacts`, { name });
    for (const artifact of Array.isArray(artifacts) ? artifacts.filter(isObject) : []) {
      const { id, name: actual, expired, size_in_bytes: size } = artifact;
      if (typeof id === "number" && actual === name && expired === false) return { id, size };
    }
  }
  throw new ActionFailure("There is no build of this commit", [
    `No successful run of a pull_request workflow for ${run.commit} has an artifact ${name} that is not expired.`,
    "Wait until the build has succeeded, or run it again. Then create the label, and add it again.",
  ]);
}

/** The module that is the entry: wrangler builds `src/index.ts` as `index.js`, and leaves the name with `no_bundle`. */
function entryOf(main: string, modules: string[]): string {
  const file = basename(main);
  const names = [file.replace(/\.[^.]*$/, ".js"), file];
  const entry = names.find((name) => modules.includes(name));
  if (entry !== undefined) return entry;
  throw new ActionFailure("The artifact does not have the entry", [
    `main in the configuration of the base branch is ${JSON.stringify(main)}, so the artifact must have ${names[0]}. It has ${modules.slice(0, 5).join(", ") || "no module"}.`,
    "A pull request that renames main has a preview only after the merge.",
  ]);
}
