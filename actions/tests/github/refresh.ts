/**
 * Writes `openapi.json`: the operations of GitHub's REST API that the actions use, from GitHub's published OpenAPI description, as the npm
 * package `@octokit/openapi` has it. The package is half a gigabyte, so it is not a dependency: `npm run refresh:github-openapi`
 * downloads it.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The version of the description. */
const PACKAGE = "@octokit/openapi@23.0.2";

/** The operations that the actions use. */
const OPERATIONS = [
  "actions/download-artifact",
  "actions/list-workflow-run-artifacts",
  "actions/list-workflow-runs-for-repo",
  "issues/create-comment",
  "issues/delete-comment",
  "issues/list-comments",
  "issues/update-comment",
  "pulls/get",
  "repos/create-deployment",
  "repos/create-deployment-status",
  "repos/list-deployment-statuses",
  "repos/list-deployments",
  "users/get-authenticated",
];

/** The members of a schema that only people read. */
const TEXTS = new Set(["description", "example", "examples", "externalDocs", "title", "x-github", "x-multi-segment"]);

type Json = Record<string, unknown>;

/** The text of the extract. */
function extract(document: { info: Json; paths: Record<string, Record<string, Json>>; components: Record<string, Json> }): string {
  const components: Record<string, Json> = {};
  /** A copy without texts; the components that it refers to are copied, too. */
  const copy = (value: unknown, names: boolean): unknown => {
    if (Array.isArray(value)) return value.map((item) => copy(item, false));
    if (typeof value !== "object" || value === null) return value;
    const members = Object.entries(value).filter(([name]) => names || !TEXTS.has(name));
    for (const [name, target] of members) if (name === "$ref" && typeof target === "string") copyComponent(target);
    // The members of `properties` are names of members, not keywords.
    return Object.fromEntries(members.map(([name, member]) => [name, copy(member, name === "properties" && !names)]));
  };
  const copyComponent = (reference: string) => {
    const [, , kind = "", name = ""] = reference.split("/");
    const group = (components[kind] ??= {});
    if (name in group) return;
    group[name] = null;
    group[name] = copy(document.components[kind]?.[name], false);
  };
  const paths: Record<string, Json> = {};
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (!OPERATIONS.includes(String(operation["operationId"]))) continue;
      const { operationId, parameters, requestBody, responses } = operation;
      const used = copy({ operationId, parameters, requestBody, responses }, false) as Json;
      (paths[path] ??= {})[method] = used;
    }
  }
  const found = Object.values(paths).flatMap((methods) => Object.values(methods as Record<string, Json>).map((one) => one["operationId"]));
  const missing = OPERATIONS.filter((id) => !found.includes(id));
  if (missing.length > 0) throw new Error(`${PACKAGE} has no operation ${missing.join(", ")}`);
  return `${JSON.stringify({ source: PACKAGE, paths, components: sorted(components) }, null, 1)}\n`;
}

function sorted(components: Record<string, Json>): Record<string, Json> {
  const byName = ([one]: [string, unknown], [other]: [string, unknown]) => (one < other ? -1 : 1);
  const groups = Object.entries(components).sort(byName);
  return Object.fromEntries(groups.map(([kind, group]) => [kind, Object.fromEntries(Object.entries(group).sort(byName))]));
}

const folder = mkdtempSync(join(tmpdir(), "github-openapi-"));
try {
  const run = (program: string, ...options: string[]) => execFileSync(program, options, { cwd: folder, encoding: "utf8" });
  const archive = run("npm", "pack", "--silent", PACKAGE).trim();
  run("tar", "-xzf", archive, "package/generated/api.github.com.json");
  const document = JSON.parse(readFileSync(join(folder, "package/generated/api.github.com.json"), "utf8"));
  writeFileSync(new URL("openapi.json", import.meta.url), extract(document));
} finally {
  rmSync(folder, { recursive: true });
}
