import assert from "node:assert/strict";
import { test } from "node:test";

import { GitHub, GITHUB_TOKEN } from "./stand-in.ts";

const REPOSITORY = "/repos/drivly/agents";

const HEADERS = {
  Accept: "application/vnd.github+json",
  Authorization: `Bearer ${GITHUB_TOKEN}`,
  "User-Agent": "test",
  "X-GitHub-Api-Version": "2022-11-28",
};

test("refuses a request that differs from GitHub's description, and says how", async (t) => {
  const github = await GitHub.start();
  t.after(() => github.stop());
  const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    fetch(`${github.origin}${REPOSITORY}${path}`, {
      method,
      headers: { ...HEADERS, ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  const comment = await send("POST", "/issues/7/comments", { body: "x" });
  assert.equal(comment.status, 201);
  const deployment = await send("POST", "/deployments", { ref: "0f9f3a6", auto_merge: false, required_contexts: [] });
  assert.equal(deployment.status, 201);
  assert.deepEqual(github.invalid, []);

  const { id } = (await deployment.json()) as { id: number };
  for (const [method, path, body, headers, status, reason] of [
    ["POST", "/issues/7/comments", { text: "x" }, {}, 422, /must have required property 'body'/],
    ["POST", "/issues/7/comments", { body: "x", labels: [] }, {}, 422, /must NOT have additional properties/],
    ["POST", "/issues/7/comments", "{", {}, 422, /the body is not JSON/],
    ["POST", "/issues/seven/comments", { body: "x" }, {}, 422, /issue_number must be integer/],
    ["POST", `/deployments/${id}/statuses`, { state: "done" }, {}, 422, /must be equal to one of the allowed values/],
    ["POST", "/deployments", { ref: "x", required_contexts: "none" }, {}, 422, /\/required_contexts must be array/],
    ["GET", "/deployments?env=x", undefined, {}, 422, /has no parameter env in the query/],
    ["GET", "/actions/runs?status=finished", undefined, {}, 422, /status must be equal to one of/],
    ["GET", "/branches", undefined, {}, 422, /has no GET \/repos\/drivly\/agents\/branches/],
    ["GET", "/deployments", undefined, { Authorization: "Bearer other" }, 401, /Bad credentials/],
    ["GET", "/deployments", undefined, { Accept: "text/html" }, 415, /Unsupported 'Accept'/],
    ["GET", "/deployments", undefined, { "X-GitHub-Api-Version": "1" }, 400, /Unsupported API version/],
    ["POST", "/issues/7/comments", { body: "x" }, { "Content-Type": "text/plain" }, 415, /Unsupported Content-Type/],
  ] as const) {
    github.invalid.length = 0;
    const response = await send(method, path, body, headers);
    assert.equal(response.status, status, path);
    assert.match(github.invalid.join("\n"), reason);
  }

  // Valid requests that a deploy does not want.
  assert.equal((await send("POST", "/deployments", { ref: "x", auto_merge: false })).status, 409);
  assert.equal((await send("POST", "/deployments", { ref: "x", required_contexts: [] })).status, 202);
});
