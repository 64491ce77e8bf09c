import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { buckets, encodeManifest, readManifest } from "../../src/bindings/assets/manifest.ts";
import { readAssetConfiguration, readStaticRouting } from "../../src/bindings/assets/configuration.ts";
import { readHeaders } from "../../src/bindings/assets/headers-file.ts";
import { readRedirects } from "../../src/bindings/assets/redirects-file.ts";
import { issueToken, readToken } from "../../src/bindings/assets/upload-token.ts";
import { refused } from "./refused.ts";

const HASH = "0123456789abcdef0123456789abcdef";

test("a manifest is encoded as Cloudflare's asset Worker searches it", async () => {
  const paths = ["/index.html", "/about.html", "/ä b.txt"];
  const manifest = readManifest(Object.fromEntries(paths.map((path) => [path, { hash: HASH, size: 1 }])));
  const encoded = Buffer.from(await encodeManifest(manifest));
  assert.equal(encoded.length, 20 + 3 * 40);
  const entries = [0, 1, 2].map((index) => encoded.subarray(20 + index * 40, 20 + (index + 1) * 40));
  const pathHashes = entries.map((entry) => entry.subarray(0, 16).toString("hex"));
  const expected = paths.map((path) => createHash("sha256").update(path).digest("hex").slice(0, 32)).sort();
  assert.deepEqual(pathHashes, expected);
  for (const entry of entries) assert.equal(entry.subarray(16, 32).toString("hex"), HASH);
});

test("a malformed manifest is refused", async () => {
  await refused(10304, /must be an object/, () => readManifest([]));
  await refused(10304, /begin with a slash/, () => readManifest({ "index.html": { hash: HASH, size: 1 } }));
  await refused(10304, /32 hexadecimal/, () => readManifest({ "/a": { hash: "x", size: 1 } }));
  await refused(10304, /25 MiB/, () => readManifest({ "/a": { hash: HASH, size: 26 * 1024 * 1024 } }));
});

test("files are grouped by number and size", () => {
  const hashOf = (index: number) => index.toString(16).padStart(32, "0");
  const files = (count: number, size: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`/${index}`, { hash: hashOf(index), size }]));
  const grouped = (count: number, size: number) =>
    buckets(
      files(count, size),
      Array.from({ length: count }, (_, index) => hashOf(index)),
    );
  assert.deepEqual(grouped(0, 1), []);
  assert.deepEqual(
    grouped(81, 1).map((group) => group.length),
    [40, 40, 1],
  );
  assert.deepEqual(
    grouped(3, 11 * 1024 * 1024).map((group) => group.length),
    [1, 1, 1],
  );
});

test("a token proves its session, its use and its time", async () => {
  const now = Date.now();
  const token = await issueToken("secret", "session", "upload", now);
  assert.equal(await readToken("secret", token, "upload", now), "session");
  assert.equal(await readToken("secret", token, "completion", now), null);
  assert.equal(await readToken("other", token, "upload", now), null);
  assert.equal(await readToken("secret", token, "upload", now + 3_601_000), null);
  const [header, , signature] = token.split(".");
  const forged = Buffer.from(JSON.stringify({ session: "other", use: "upload", exp: now })).toString("base64url");
  assert.equal(await readToken("secret", `${header}.${forged}.${signature}`, "upload", now), null);
  const none = Buffer.from(JSON.stringify({ alg: "none", typ: "JWT" })).toString("base64url");
  for (const bad of [`${none}.${forged}.`, "", "a.b.c", `${token}.x`])
    assert.equal(await readToken("secret", bad, "upload", now), null);
});

test("_redirects", () => {
  const { staticRules, rules } = readRedirects(
    [
      "# comment",
      "/old /new 301",
      "/twice /a",
      "/twice /b",
      "/spaced   https://example.com/x?y#z   308  # why",
      "/blog/* /posts/:splat",
      "/later /static-no-more",
      "/u/:id /users/:id 200",
    ].join("\n"),
    undefined,
  );
  assert.deepEqual(staticRules, {
    "/old": { status: 301, to: "/new", lineNumber: 2 },
    "/twice": { status: 302, to: "/a", lineNumber: 3 },
    "/spaced": { status: 308, to: "https://example.com/x?y#z", lineNumber: 5 },
  });
  assert.deepEqual(rules, {
    "/blog/*": { status: 302, to: "/posts/:splat" },
    "/later": { status: 302, to: "/static-no-more" },
    "/u/:id": { status: 200, to: "/users/:id" },
  });
});

test("a _redirects file with rules that Cloudflare refuses is refused, and each line is named", async () => {
  const file = ["/bad /x 418", "/proxy https://example.com 200", "/* /index.html 200", "/good /y", "one-token", "/a /b 301 extra"];
  await refused(
    100324,
    /^Invalid _redirects configuration:\nLine 1: Valid status codes.*\nLine 2: Proxy \(200\).*\nLine 3: Infinite loop.*\nLine 5: .*Got 1\.\nLine 6: .*Got 4\.$/,
    () => readRedirects(file.join("\n"), undefined),
  );
  const many = Array.from({ length: 101 }, (_, index) => `/a${index}/* /b`);
  await refused(100324, /^Invalid _redirects configuration:\nLine 101: Maximum number of dynamic rules supported is 100\.$/, () =>
    readRedirects(many.join("\n"), undefined),
  );
  assert.ok(readRedirects("/ /index.html 200", "none").staticRules["/"]);
});

test("a _headers file with lines that Cloudflare refuses is refused, and each line is named", async () => {
  const file = ["X-Orphan: 1", "/two/*/wild/*", "x: 1", "/path", "no colon", "with space: 1", ": value", "empty:"];
  await refused(
    100324,
    /^Invalid _headers configuration:\nLine 1: Expected a path before headers\nLine 2: Only one wildcard.*\nLine 5: .*\nLine 6: .*spaces\nLine 7: .*\nLine 8: .*$/,
    () => readHeaders(file.join("\n")),
  );
});

test("_headers", () => {
  const { rules } = readHeaders(
    [
      "/*",
      "  X-Frame-Options: DENY",
      "  Link: <a>; rel=preload",
      "  Link: <b>; rel=preload",
      "/secure/*",
      "  ! X-Frame-Options",
      "/empty",
      "https://:project.pages.dev/*",
      "  X-Robots-Tag: noindex",
    ].join("\n"),
  );
  assert.deepEqual(rules, {
    "/*": { set: { "x-frame-options": "DENY", link: "<a>; rel=preload, <b>; rel=preload" } },
    "/secure/*": { unset: ["X-Frame-Options"] },
    "https://:project.pages.dev/*": { set: { "x-robots-tag": "noindex" } },
  });
});

test("run_worker_first", async () => {
  assert.deepEqual(readStaticRouting(["/api/*", "!/api/docs/*"]), {
    user_worker: ["/api/*"],
    asset_worker: ["/api/docs/*"],
  });
  await refused(10304, /not a rule/, () => readStaticRouting(["api"]));
  await refused(10304, /at least one/, () => readStaticRouting(["!/x"]));
  assert.equal(readAssetConfiguration({ run_worker_first: true }).scriptFirst, true);
  assert.equal(readAssetConfiguration({}).scriptFirst, false);
});

test("a setting that there is not is refused", () =>
  refused(10304, /html_handling.*auto-trailing-slash/, () => readAssetConfiguration({ html_handling: "sometimes" })));
