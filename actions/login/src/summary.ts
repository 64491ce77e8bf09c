import type { ActionFailure, Claims } from "../../step/failure.ts";
import { escape, shortened } from "../../step/markup.ts";

/** The claims that a rule of the policy can name, in the order in which the summary shows them. */
const CLAIMS = [
  "iss",
  "repository",
  "repository_id",
  "repository_owner_id",
  "ref",
  "ref_protected",
  "environment",
  "event_name",
  "workflow_ref",
  "job_workflow_ref",
  "actor",
  "actor_id",
  "runner_environment",
];

/** The most lines of a failure, and the longest one, in characters: GitHub shows no summary of more than 1 MiB. */
const MAX_LINES = 100;
const LONGEST_LINE = 1000;

/** The part of the job summary about a failure. Texts of others are escaped. */
export function summaryOf(title: string, failure: ActionFailure): string {
  const lines = failure.lines.slice(0, MAX_LINES).map((line) => `<li>${shown(line)}</li>`);
  const hidden = failure.lines.length - MAX_LINES;
  if (hidden > 0) lines.push(`<li>and ${hidden} more lines</li>`);
  const parts = [`<h3>${title}: ${escape(failure.title)}</h3>`, `<ul>${lines.join("")}</ul>`];
  if (failure.claims) parts.push(claimsTable(failure.claims));
  return parts.join("\n");
}

/** The claims of a run, as a table that a person can open. */
export function claimsTable(claims: Claims): string {
  const rows = CLAIMS.filter((name) => claims[name] !== undefined).map(
    (name) => `<tr><td>${name}</td><td><code>${shown(String(claims[name]))}</code></td></tr>`,
  );
  return `<details><summary>The claims of this run</summary><table>${rows.join("")}</table></details>`;
}

function shown(text: string): string {
  return escape(shortened(text, LONGEST_LINE));
}
