import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { ACCOUNT, BASE_URL, TOKEN, call } from "./platform.ts";

const NAMESPACES = `/accounts/${ACCOUNT}/workers/dispatch/namespaces`;

/** A call with headers that `fetch` would not send. */
async function raw(headers: http.OutgoingHttpHeaders): Promise<{ status: number; text: string }> {
  const { hostname, port, pathname } = new URL(BASE_URL);
  return await new Promise((resolve, reject) => {
    const request = http.get(
      { hostname, port, path: `${pathname}${NAMESPACES}`, agent: false, headers },
      (response) => {
        let text = "";
        response.on("data", (chunk) => (text += String(chunk)));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    request.on("error", reject);
  });
}

test("only the local token is accepted", async () => {
  assert.equal((await call("GET", NAMESPACES)).status, 200);
  for (const authorization of [
    "",
    "Bearer",
    "Bearer wrong",
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Basic ${btoa(`x:${TOKEN}`)}`,
  ]) {
    const refused = await call("GET", NAMESPACES, { headers: { authorization } });
    assert.equal(refused.status, 401, authorization);
    assert.equal(refused.errors[0]?.code, 9109);
    assert.ok(!JSON.stringify(refused).includes(TOKEN), "the token is never told");
  }
});

test("what does not exist is found out only with the token", async () => {
  assert.equal((await call("GET", "/nothing/here", { headers: { authorization: "Bearer wrong" } })).status, 401);
  const unknown = await call("GET", "/nothing/here");
  assert.equal(unknown.status, 404);
  assert.equal(unknown.errors[0]?.code, 7003);
});

test("a foreign host name does not reach the API", async () => {
  const { port } = new URL(BASE_URL);
  const authorization = `Bearer ${TOKEN}`;
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`])
    assert.equal((await raw({ host, authorization })).status, 200, host);
  for (const host of ["evil.example", `localhost.evil.example:${port}`, `evil.localhost:${port}`]) {
    const answer = await raw({ host, authorization });
    assert.notEqual(answer.status, 200, host);
    assert.ok(!answer.text.includes("namespace_id"), host);
  }
});

test("a web page of another origin does not reach the API", async () => {
  const { host, origin } = new URL(BASE_URL);
  const authorization = `Bearer ${TOKEN}`;
  assert.equal((await raw({ host, authorization, origin })).status, 200);
  for (const headers of [{ origin: "https://evil.example" }, { origin: "null" }, { "sec-fetch-site": "cross-site" }]) {
    assert.equal((await raw({ host, authorization, ...headers })).status, 403, JSON.stringify(headers));
  }
});

test("another account does not exist", async () => {
  const refused = await call("GET", "/accounts/00000000000000000000000000000000/workers/dispatch/namespaces");
  assert.equal(refused.status, 403);
  assert.match(refused.errors[0]?.message ?? "", new RegExp(ACCOUNT));
});

test("namespaces cannot be made, renamed or deleted", async () => {
  for (const [method, path] of [
    ["POST", ""],
    ["PUT", "/dotdo-staging"],
    ["DELETE", "/dotdo-staging"],
  ] as const) {
    const refused = await call(method, NAMESPACES + path, method === "DELETE" ? {} : { body: "{}" });
    assert.equal(refused.status, 403);
    assert.match(refused.errors[0]?.message ?? "", /--reset/);
  }
  const unknown = await call("GET", `${NAMESPACES}/other`);
  assert.equal(unknown.status, 404);
  assert.match(unknown.errors[0]?.message ?? "", /dotdo-production/);
});

test("what wrangler asks about the account", async () => {
  assert.equal((await call("GET", "/user/tokens/verify")).result.status, "active");
  assert.equal((await call("GET", "/accounts")).result[0].id, ACCOUNT);
  assert.equal((await call("GET", "/memberships")).result[0].account.id, ACCOUNT);
  assert.ok((await call("GET", "/user")).result.email);
  for (const path of ["services/x", "scripts/x/settings", "scripts/x/secrets", "scripts/x"]) {
    const answer = await call("GET", `/accounts/${ACCOUNT}/workers/${path}`);
    assert.equal(answer.status, 404, path);
    assert.equal(answer.errors[0]?.code, 10007, path);
  }
});
