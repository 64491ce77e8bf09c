import assert from "node:assert/strict";
import { test } from "node:test";
import type { Destination } from "../../front/destination.ts";
import { refusal } from "../../front/foreign-page.ts";

function isRefused(destination: Destination, url: string, headers: Record<string, string>, method = "GET"): boolean {
  return refusal({ method, url, headers: new Headers(headers) }, destination) !== null;
}

const API = "http://localhost:8787/v1/policy";
const WORKER = "http://hello.localhost:8787/";

test("the API answers programs and its own pages only", () => {
  for (const [headers, expected] of [
    [{}, false],
    [{ origin: "http://localhost:8787" }, false],
    [{ "sec-fetch-site": "same-origin" }, false],
    [{ "sec-fetch-site": "none" }, false],
    [{ origin: "https://evil.example" }, true],
    [{ origin: "http://localhost:3000" }, true],
    [{ origin: "http://hello.localhost:8787" }, true],
    [{ origin: "null" }, true],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-dest": "document" }, true],
    [{ "sec-fetch-site": "same-site" }, true],
  ] as const) {
    assert.equal(isRefused("API", API, headers), expected, JSON.stringify(headers));
  }
});

test("a Worker answers pages of this machine, and links from elsewhere", () => {
  const link = { "sec-fetch-site": "cross-site", "sec-fetch-dest": "document" };
  for (const [headers, method, expected] of [
    [{}, "POST", false],
    [{ origin: "http://hello.localhost:8787" }, "POST", false],
    [{ origin: "http://localhost:3000", "sec-fetch-site": "cross-site" }, "POST", false],
    [{ origin: "http://127.0.0.1:3000" }, "GET", false],
    [{ origin: "http://[::1]:3000" }, "GET", false],
    [link, "GET", false],
    [{ "sec-fetch-site": "cross-site", referer: "http://shop.localhost:8787/" }, "GET", false],
    [link, "POST", true],
    [{ origin: "https://evil.example" }, "GET", true],
    [{ origin: "https://localhost.evil.example" }, "GET", true],
    [{ origin: "https://127.0.0.1.evil.example" }, "GET", true],
    [{ origin: "null" }, "POST", true],
    [{ origin: "https://evil.example", "sec-fetch-site": "cross-site", "sec-fetch-dest": "document" }, "POST", true],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-dest": "image" }, "GET", true],
    [{ "sec-fetch-site": "cross-site", "sec-fetch-dest": "iframe" }, "GET", true],
    [{ "sec-fetch-site": "cross-site", referer: "https://evil.example/localhost" }, "GET", true],
  ] as const) {
    assert.equal(isRefused("DISPATCHER", WORKER, headers, method), expected, `${method} ${JSON.stringify(headers)}`);
  }
});

test("under another name, only programs are answered", () => {
  for (const [headers, expected] of [
    [{}, false],
    [{ "user-agent": "curl/8.5.0" }, false],
    [{ origin: "http://localhost:3000" }, false],
    [{ "user-agent": "Mozilla/5.0 (X11; Linux x86_64)" }, true],
    [{ "sec-fetch-site": "none" }, true],
    [{ origin: "http://hello.do" }, true],
  ] as const) {
    assert.equal(isRefused("DISPATCHER", "http://hello.do/", headers), expected, JSON.stringify(headers));
  }
});
