/** Runs a workflow as GitHub Actions does: jobs one after the other, reusable workflows, permissions, inputs and outputs. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { type Contexts, interpolated, textOf } from "./expressions.ts";
import { finished, type Finished, isMet, type Job, JobRunner, type Permissions, type Place, REPOSITORY, type Values } from "./job-runner.ts";

/** How workflows refer to the workflows of this repository. */
const OWN_WORKFLOW = /^drivly\/dispatch\.do\/(\.github\/workflows\/[a-z-]+\.yml)@.+$/;

interface Workflow {
  on: { workflow_call?: { inputs?: Record<string, { default?: unknown; required?: boolean }>; outputs?: Record<string, { value: string }> } };
  permissions?: Record<string, string>;
  env?: Values;
  jobs: Record<string, Job>;
}

/** Runs all jobs of a workflow, one after the other. */
export async function runWorkflow(text: string, place: Place): Promise<Finished> {
  const all = finished();
  await runJobs(parse(text), place, {}, undefined, all);
  return all;
}

async function runJobs(workflow: Workflow, place: Place, inputs: Values, granted: Permissions | undefined, all: Finished): Promise<Values> {
  const { variables } = place;
  const github = {
    repository: variables["GITHUB_REPOSITORY"],
    event_name: variables["GITHUB_EVENT_NAME"],
    actor: variables["GITHUB_ACTOR"],
    sha: variables["GITHUB_SHA"],
    ref: variables["GITHUB_REF"],
    run_id: variables["GITHUB_RUN_ID"],
    ...place.github,
  };
  const needs: Record<string, { result: string; outputs: Values }> = {};
  for (const [name, job] of Object.entries(workflow.jobs)) {
    const before = [job.needs ?? []].flat().map((one) => needs[one]?.result);
    const status = { success: before.every((result) => result === "success"), failure: before.includes("failure"), cancelled: false };
    const contexts: Contexts = { github, inputs, needs, status };
    if (!isMet(job.if, contexts)) {
      needs[name] = { result: "skipped", outputs: {} };
      continue;
    }
    const permissions = allowed(name, job.permissions ?? workflow.permissions, granted);
    const called = OWN_WORKFLOW.exec(job.uses ?? "")?.[1];
    const one = finished();
    if (called !== undefined) {
      const reusable: Workflow = parse(readFileSync(join(REPOSITORY, called), "utf8"));
      const given = inputsFor(reusable.on.workflow_call?.inputs ?? {}, job.with ?? {}, contexts);
      one.outputs = await runJobs(reusable, place, given, permissions, one);
    } else {
      const environment = textOf(interpolated(typeof job.environment === "object" ? job.environment["name"] : job.environment, contexts));
      place.starting?.(name, permissions, environment);
      await new JobRunner({ ...job, env: { ...workflow.env, ...job.env } }, place, permissions, contexts, one).run();
    }
    needs[name] = { result: one.succeeded ? "success" : "failure", outputs: one.outputs };
    add(all, one);
  }
  const outputs = Object.entries(workflow.on.workflow_call?.outputs ?? {});
  const jobs = { jobs: needs, github, inputs };
  return Object.fromEntries(outputs.map(([name, { value }]) => [name, interpolated(value, jobs)]));
}

function inputsFor(declared: Record<string, { default?: unknown; required?: boolean }>, given: Values, contexts: Contexts): Values {
  const unknown = Object.keys(given).filter((name) => !(name in declared));
  if (unknown.length > 0) throw new Error(`the workflow has no input ${unknown.join(", ")}`);
  return Object.fromEntries(
    Object.entries(declared).map(([name, { default: value, required }]) => {
      if (required && !(name in given)) throw new Error(`the input ${name} is missing`);
      return [name, interpolated(given[name], contexts) ?? value ?? ""];
    }),
  );
}

/** The permissions of a job. A called workflow can only reduce those of its caller, and GitHub refuses it if it wants more. */
function allowed(job: string, wanted: Permissions | undefined, granted: Permissions | undefined): Permissions {
  const permissions = wanted ?? granted ?? {};
  for (const [name, level] of Object.entries(permissions)) {
    const isGranted = granted === undefined || granted[name] === "write" || granted[name] === level || level === "none";
    if (!isGranted) throw new Error(`the job ${job} wants ${name}: ${level}, and the job that calls the workflow has ${granted[name] ?? "none"}`);
  }
  return permissions;
}

function add(all: Finished, one: Finished): void {
  all.succeeded &&= one.succeeded;
  all.log += one.log;
  all.summary += one.summary;
  all.annotations.push(...one.annotations);
  for (const value of one.masked) all.masked.add(value);
  Object.assign(all.variables, one.variables);
  Object.assign(all.outputs, one.outputs);
}
