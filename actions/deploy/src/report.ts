import { escape, shortened } from "../../step/markup.ts";
import type { ActionFailure } from "../../step/failure.ts";
import type { Deployment } from "./deploy-api.ts";

/** The most lines of a cell, and the longest text, in characters. */
const MAX_LINES = 40;
const LONGEST_TEXT = 500;

/** The longest HTML of a cell, and of all rows, in characters: GitHub refuses comments of more than 65,536. */
const LONGEST_CELL = 15_000;
const LONGEST_ROWS = 60_000;

/** What a deployment changed, compared with the one before it. */
export interface Changes {
  bindings: { added: string[]; removed: string[]; changed: string[] };
  modules: { added: string[]; removed: string[]; changed: string[] };
  /** Sizes in bytes; null if there was no deployment before. */
  size: { before: number | null; after: number };
}

/** Compares two deployments. */
export function changesOf(before: Deployment | undefined, after: Deployment): Changes {
  return {
    bindings: compared(before?.bindings ?? new Map(), after.bindings),
    modules: compared(before?.modules ?? new Map(), after.modules),
    size: { before: before?.size ?? null, after: after.size },
  };
}

function compared(before: Map<string, string>, after: Map<string, string>): Changes["bindings"] {
  const names = [...after.keys()];
  return {
    added: names.filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: names.filter((name) => before.has(name) && before.get(name) !== after.get(name)),
  };
}

/** How a step ended, or that it has not ended. */
export type Status = "deploying" | "deployed" | "promoted" | "failed" | "cancelled" | "deleted";

/** What people see of a step. */
export interface Report {
  status: Status;
  worker: string;
  environment: string;
  commit: string;
  /** The page of the commit. */
  commitPage: string;
  /** The page with the log of the run. */
  log: string;
  isPreview: boolean;
  deployment?: Deployment | undefined;
  changes?: Changes | undefined;
  failure?: ActionFailure | undefined;
}

/** The report as HTML, which Markdown can contain. Texts of others are escaped, and in code, where GitHub looks for no mentions. */
export function htmlOf(report: Report): string {
  const { worker, environment, commit, commitPage, status, deployment, changes, failure } = report;
  const title = report.isPreview ? `Preview <code>${escape(worker)}</code>` : `<code>${escape(worker)}</code> in ${environment}`;
  const rows: [string, string][] = [["Status", `<b>${status}</b>`]];
  const isServed = status === "deployed" || status === "promoted";
  for (const url of isServed ? (deployment?.urls ?? []) : []) rows.push(["URL", `<a href="${escape(url)}">${escape(url)}</a>`]);
  rows.push(["Commit", `<a href="${escape(commitPage)}"><code>${escape(commit)}</code></a>`]);
  if (deployment !== undefined) {
    rows.push(["Deployment", code(deployment.id)]);
    rows.push(["Size", sizeOf(deployment.size, changes?.size.before ?? null)]);
    if (deployment.startup !== undefined) rows.push(["Start-up time", `${deployment.startup} ms`]);
  }
  if (isServed && deployment?.expires !== undefined) rows.push(["Expires", `${escape(deployment.expires)}, unless it is deployed again`]);
  if (deployment !== undefined && changes !== undefined) {
    rows.push(["Changed bindings", changed(changes.bindings, deployment.bindings)]);
    rows.push(["Changed modules", changed(changes.modules, undefined)]);
  }
  if (failure !== undefined) rows.push(["Failure", cellOf([`<b>${code(failure.title)}</b>`, ...failure.lines.map(code)])]);
  for (const { message } of deployment?.warnings ?? []) rows.push(["Warning", code(message)]);
  const cells = [...limited(rows), ["Log", `<a href="${escape(report.log)}">the run</a>`]].map(([name, value]) => `<tr><td>${name}</td><td>${value}</td></tr>`);
  return `<h3>${title}</h3><table>${cells.join("")}</table>`;
}

/** The first rows that are not longer than allowed together, and how many are missing. */
function limited(rows: [string, string][]): [string, string][] {
  let length = 0;
  const end = rows.findIndex(([name, value]) => (length += name.length + value.length + "<tr><td></td><td></td></tr>".length) > LONGEST_ROWS);
  return end < 0 ? rows : [...rows.slice(0, end), ["…", `${rows.length - end} more in the log`]];
}

function changed({ added, removed, changed: others }: Changes["bindings"], types: Map<string, string> | undefined): string {
  const typed = (name: string) => (types?.has(name) ? `${name} (${types.get(name)})` : name);
  const parts = [
    ...added.map((name) => `added ${code(typed(name))}`),
    ...others.map((name) => `changed ${code(typed(name))}`),
    ...removed.map((name) => `removed ${code(name)}`),
  ];
  return parts.length === 0 ? "none" : cellOf(parts);
}

/** Lines of HTML, as many as are allowed. */
function cellOf(lines: string[]): string {
  let length = 0;
  const end = lines.findIndex((line, index) => index === MAX_LINES || (length += line.length) > LONGEST_CELL);
  return (end < 0 ? lines : [...lines.slice(0, end), `and ${lines.length - end} more`]).join("<br>");
}

function sizeOf(after: number, before: number | null): string {
  const difference = before === null ? "" : ` (${after < before ? "−" : "+"}${withUnit(Math.abs(after - before))})`;
  return `${withUnit(after)}${difference}`;
}

function withUnit(bytes: number): string {
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(2)} MB`;
}

function code(text: string): string {
  return `<code>${escape(shortened(text, LONGEST_TEXT))}</code>`;
}
