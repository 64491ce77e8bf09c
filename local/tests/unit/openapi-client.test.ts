// A client that is generated from the OpenAPI document of the deploy API compiles.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** A client of the generated types. A call that the API does not have must not compile. */
const CLIENT = `
import createClient from "openapi-fetch";
import type { components, operations, paths } from "./api";

const client = createClient<paths>({ baseUrl: "https://deploy.example" });

type Deployment = components["schemas"]["Deployment"];
type Kinds = operations["listTokens"]["parameters"]["query"];

export async function deployments(since: string): Promise<string[]> {
  const path = { namespace: "dotdo-staging", worker: "agents" } as const;
  const { data, error } = await client.GET("/v1/namespaces/{namespace}/workers/{worker}/deployments", {
    params: { path, query: { limit: 10 } },
  });
  if (error) throw new Error(\`\${error.code}: \${error.detail} \${error.fix ?? ""}\`);
  const describe = (deployment: Deployment): string =>
    \`\${deployment.id} \${deployment.state} \${deployment.annotations.message ?? ""} \${deployment.finished ?? since}\`;
  return data.items.map(describe);
}

export async function rollback(): Promise<boolean> {
  const path = { namespace: "dotdo-staging", worker: "agents" } as const;
  const { data } = await client.POST("/v1/namespaces/{namespace}/workers/{worker}/rollback", {
    params: { path },
    body: { deployment: "0190b6f4-0000-7000-8000-000000000000" },
  });
  // A dry run has another answer.
  return data !== undefined && "state" in data && data.state === "succeeded";
}

export async function mistakes(): Promise<void> {
  // @ts-expect-error There is no such namespace.
  await client.GET("/v1/namespaces/{namespace}", { params: { path: { namespace: "production" } } });
  // @ts-expect-error There is no such path.
  await client.GET("/v1/nothing");
  // @ts-expect-error "why" is missing.
  await client.PUT("/v1/namespaces/{namespace}/lock", { params: { path: { namespace: "dotdo-staging" } }, body: {} });
}

export const kinds: Kinds = { kind: "api" };
`;

test("a client of the OpenAPI document compiles", async () => {
  const document = readFileSync(join(ROOT, "deploy-api/openapi/openapi.json"), "utf8");
  const types = astToString(await openapiTS(document));
  const target = join(ROOT, "target");
  mkdirSync(target, { recursive: true });
  // Below the repository, so that the compiler finds openapi-fetch.
  const folder = mkdtempSync(join(target, "openapi-client-"));
  try {
    writeFileSync(join(folder, "api.ts"), types);
    writeFileSync(join(folder, "client.ts"), CLIENT);
    const program = ts.createProgram([join(folder, "client.ts")], {
      target: ts.ScriptTarget.ES2024,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      lib: ["lib.es2024.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
      types: [],
      strict: true,
      noEmit: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
    });
    const found = ts.getPreEmitDiagnostics(program).map((diagnostic) => {
      const place = diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
      const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
      return `${diagnostic.file?.fileName ?? ""}:${(place?.line ?? 0) + 1}: ${text}`;
    });
    assert.deepEqual(found, []);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
