import assert from "node:assert/strict";
import { test } from "node:test";
import { destination } from "../../front/destination.ts";
import { checkHost, checkOrigin, isPlatformToken } from "../../src/rest/access.ts";
import { refused } from "./refused.ts";

test("the one port decides by host and path", () => {
  const html = "text/html,*/*";
  for (const [url, accept, expected] of [
    ["http://localhost:8787/client/v4/accounts", null, "API"],
    ["http://127.0.0.1:8787/v1/health", null, "API"],
    ["http://[::1]:8787/client/v4", null, "API"],
    ["http://localhost:8787/accounts/1/workers/scripts/hello/settings", null, "API"],
    ["http://127.0.0.1:8787/user/tokens/verify", null, "API"],
    ["http://localhost:8787/memberships", null, "API"],
    ["http://localhost:8787/zones", null, "API"],
    ["http://localhost:8787/v1/accounts", null, "API"],
    ["http://localhost:8787//accounts", null, "API"],
    ["http://localhost:8787/users", null, "DISPATCHER"],
    ["http://hello.localhost:8787/accounts", null, "DISPATCHER"],
    ["http://hello.do/user", null, "DISPATCHER"],
    ["http://localhost:8787/client/v4/local/dispatches", null, "LOCAL"],
    ["http://localhost:8787/account/client/v4/accounts", null, "LOCAL"],
    ["http://localhost:8787//account/client/v4/user", null, "LOCAL"],
    ["http://localhost:8787/account", null, "DISPATCHER"],
    ["http://hello.localhost:8787/account/client/v4/user", null, "DISPATCHER"],
    ["http://localhost:8787/", html, "LOCAL"],
    ["http://localhost:8787/", null, "DISPATCHER"],
    ["http://localhost:8787/v1x", null, "DISPATCHER"],
    ["http://localhost:8787/other", html, "DISPATCHER"],
    ["http://hello.localhost:8787/client/v4/accounts", null, "DISPATCHER"],
    ["http://hello.do/v1/x", null, "DISPATCHER"],
    ["http://hello.do/", html, "DISPATCHER"],
  ] as const) {
    assert.equal(destination({ method: "GET", url, accept }), expected, url);
  }
  assert.equal(destination({ method: "POST", url: "http://localhost/", accept: html }), "DISPATCHER");
});

test("a request that a page of another origin could have made is refused", async () => {
  const request = (url: string, headers: Record<string, string> = {}) => new Request(url, { headers });
  for (const url of [
    "http://localhost:8787/client/v4",
    "http://[::1]:8787/client/v4",
    "https://api.cloudflare.com/client/v4",
  ]) {
    checkHost(request(url));
    checkOrigin(request(url));
  }
  await refused(10023, /evil\.example/, () => checkHost(request("http://evil.example:8787/client/v4")));
  await refused(10023, /localhost\.evil\.example/, () => checkHost(request("http://localhost.evil.example/")));
  await refused(10023, /other origins/, () =>
    checkOrigin(request("http://localhost:8787/", { origin: "https://evil.example" })),
  );
  await refused(10023, /other origins/, () =>
    checkOrigin(request("http://localhost:8787/", { origin: "http://localhost:1" })),
  );
  await refused(10023, /other origins/, () => checkOrigin(request("http://localhost:8787/", { origin: "null" })));
});

test("without a token of its own the platform accepts none", async () => {
  const request = new Request("http://localhost/", { headers: { authorization: "Bearer " } });
  await refused(10902, /LOCAL_API_TOKEN/, () => isPlatformToken(request, undefined));
  await refused(10902, /LOCAL_API_TOKEN/, () => isPlatformToken(request, ""));
});
