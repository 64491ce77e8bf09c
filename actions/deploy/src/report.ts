import { escape, shortened } from "../../step/markup.ts";
import type { ActionFailure } from "../../step/failure.ts";
import type { Deployment } from "./deploy-api.ts";

/** The most changes that are listed, and the longest text, in characters. */
const MAX_CHANGES = 40;
const LONGEST_TEXT = 500;

/** The longest HTML of all rows, in characters: GitHub refuses comments of more than 65,536. */
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
  /** The page with the log of the run. */
  log: string;
  isPreview: boolean;
  deployment?: Deployment | undefined;
  changes?: Changes | undefined;
  failure?: ActionFailure | undefined;
}

/** The report as HTML, which Markdown can contain. Texts of others are escaped, and in code, where GitHub looks for no mentions. */
export function htmlOf(report: Report): string {
  const { worker, environment, commit, status, deployment, changes, failure } = report;
  const title = report.isPreview ? `Preview <code>${escape(worker)}</code>` : `<code>${escape(worker)}</code> in ${environment}`;
  const rows: [string, string][] = [["Status", `<b>${status}</b>`]];
  const isServed = status === "deployed" || status === "promoted";
  for (const url of isServed ? (deployment?.urls ?? []) : []) rows.push(["URL", `<a href="${escape(url)}">${escape(url)}</a>`]);
  rows.push(["Commit", `<code>${escape(commit)}</code>`]);
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
  for (const line of failure === undefined ? [] : [failure.title, ...failure.lines]) rows.push(["Failure", code(line)]);
  for (const { message } of deployment?.warnings ?? []) rows.push(["Warning", code(message)]);
  const cells = [...limited(rows), ["Log", `<a href="${escape(report.log)}">of the run</a>`]].map(([name, value]) => `<tr><td>${name}</td><td>${value}</td></tr>`);
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
  const hidden = parts.length - MAX_CHANGES;
  if (hidden > 0) parts.splice(MAX_CHANGES, hidden, `and ${hidden} more`);
  return parts.length === 0 ? "none" : parts.join("<br>");
}

function sizeOf(after: number, before: number | null): string {
  const difference = before === null ? "" : ` (${after < before ? "−" : "+"}${kilobytes(Math.abs(after - before))})`;
  return `${kilobytes(after)}${difference}`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

function code(text: string): string {
  return `<code>${escape(shortened(text, LONGEST_TEXT))}</code>`;
}
