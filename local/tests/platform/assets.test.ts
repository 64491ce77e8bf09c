import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  ACCOUNT,
  answering,
  call,
  deploy,
  scriptJson,
  scriptName,
  visit,
  type Envelope,
  type Part,
} from "./platform.ts";

type Files = Readonly<Record<string, { readonly type: string; readonly content: string }>>;

const SITE: Files = {
  "/index.html": { type: "text/html; charset=utf-8", content: "<h1>home</h1>" },
  "/about.html": { type: "text/html; charset=utf-8", content: "<h1>about</h1>" },
  "/docs/index.html": { type: "text/html; charset=utf-8", content: "<h1>docs</h1>" },
  "/404.html": { type: "text/html; charset=utf-8", content: "<h1>gone</h1>" },
  "/api/data.json": { type: "application/json", content: "{}" },
  "/plain": { type: "application/null", content: "no type" },
};

function hashOf(path: string, content: string): string {
  return createHash("sha256")
    .update(path + content)
    .digest("hex")
    .slice(0, 32);
}

async function open(script: string, files: Files): Promise<Envelope> {
  const manifest = Object.fromEntries(
    Object.entries(files).map(([path, { content }]) => [
      path,
      { hash: hashOf(path, content), size: Buffer.byteLength(content) },
    ]),
  );
  return await scriptJson("POST", script, "/assets-upload-session", { manifest });
}

async function send(
  jwt: string,
  parts: Readonly<Record<string, { type: string; content: string }>>,
): Promise<Envelope> {
  const body = new FormData();
  for (const [hash, { type, content }] of Object.entries(parts)) {
    body.set(hash, new File([Buffer.from(content).toString("base64")], hash, { type }));
  }
  return await call("POST", `/accounts/${ACCOUNT}/workers/assets/upload?base64=true`, {
    body,
    headers: { authorization: `Bearer ${jwt}` },
  });
}

/** Uploads files as wrangler does, a call for each, and answers the completion token. */
async function upload(script: string, files: Files): Promise<string> {
  const session = await open(script, files);
  let completion = session.result.buckets.length === 0 ? session.result.jwt : "";
  for (const hash of session.result.buckets.flat() as string[]) {
    const [, file] = Object.entries(files).find(([path, { content }]) => hashOf(path, content) === hash) ?? [];
    assert.ok(file);
    const sent = await send(session.result.jwt, { [hash]: file });
    assert.equal(sent.success, true, JSON.stringify(sent.errors));
    completion = sent.result.jwt ?? completion;
  }
  return completion;
}

async function site(
  config: Record<string, unknown>,
  parts: Readonly<Record<string, Part>>,
  files = SITE,
): Promise<string> {
  const script = scriptName();
  const jwt = await upload(script, files);
  const bindings = "index.js" in parts ? [{ type: "assets", name: "ASSETS" }] : [];
  const deployed = await deploy(script, parts, { assets: { jwt, config }, bindings });
  assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
  return script;
}

const SCRIPT = `export default { async fetch(request, env) {
  const { pathname } = new URL(request.url);
  return pathname === "/from-binding" ? env.ASSETS.fetch(new URL("/about", request.url)) : new Response("script " + pathname);
} };`;

test("assets come first, then the script", async () => {
  const script = await site({}, { "index.js": SCRIPT });
  const home = await visit(script, "/");
  assert.deepEqual(
    [home.status, home.text, home.headers["content-type"]],
    [200, "<h1>home</h1>", "text/html; charset=utf-8"],
  );
  assert.equal((await visit(script, "/about")).text, "<h1>about</h1>");
  assert.equal((await visit(script, "/docs/")).text, "<h1>docs</h1>");
  assert.equal((await visit(script, "/nothing")).text, "script /nothing");
  assert.equal((await visit(script, "/from-binding")).text, "<h1>about</h1>");
  assert.equal((await visit(script, "/plain")).headers["content-type"], undefined);
});

test("paths of HTML files have one form", async () => {
  const script = await site({ html_handling: "auto-trailing-slash" }, { "index.js": SCRIPT });
  for (const [path, location] of [
    ["/index.html", "/"],
    ["/about.html", "/about"],
    ["/about/", "/about"],
    ["/docs", "/docs/"],
  ]) {
    const answer = await visit(script, path);
    assert.deepEqual([answer.status, answer.headers.location], [307, location], path);
  }
  const exact = await site({ html_handling: "none" }, { "index.js": SCRIPT });
  assert.equal((await visit(exact, "/about.html")).status, 200);
  assert.equal((await visit(exact, "/about")).text, "script /about");
});

test("a browser that has the file already gets 304", async () => {
  const script = await site({}, { "index.js": SCRIPT });
  const { headers } = await visit(script, "/about");
  assert.equal((await visit(script, "/about", { "if-none-match": headers.etag })).status, 304);
});

test("a Worker without a script serves its assets alone", async () => {
  const pages = await site({ not_found_handling: "404-page" }, {});
  const gone = await visit(pages, "/nothing");
  assert.deepEqual([gone.status, gone.text], [404, "<h1>gone</h1>"]);
  const app = await site({ not_found_handling: "single-page-application" }, {});
  const route = await visit(app, "/some/route");
  assert.deepEqual([route.status, route.text], [200, "<h1>home</h1>"]);
});

test("run_worker_first sends requests to the script before assets are looked for", async () => {
  const all = await site({ run_worker_first: true }, { "index.js": SCRIPT });
  assert.equal((await visit(all, "/")).text, "script /");
  const some = await site({ run_worker_first: ["/api/*"] }, { "index.js": SCRIPT });
  assert.equal((await visit(some, "/api/data.json")).text, "script /api/data.json");
  assert.equal((await visit(some, "/")).text, "<h1>home</h1>");
});

test("_headers and _redirects hold", async () => {
  const script = await site(
    { _headers: "/about\n  X-Robots-Tag: noindex\n", _redirects: "/old /about 301\n/u/:id /about?id=:id\n" },
    { "index.js": SCRIPT },
  );
  assert.equal((await visit(script, "/about")).headers["x-robots-tag"], "noindex");
  const old = await visit(script, "/old");
  assert.deepEqual([old.status, old.headers.location], [301, "/about"]);
  assert.equal((await visit(script, "/u/7")).headers.location, "/about?id=7");
});

test("a second deploy sends only what changed, and the deploy before it is gone", async () => {
  const script = await site({}, { "index.js": SCRIPT });
  const { "/docs/index.html": _, ...rest } = SITE;
  const changed: Files = { ...rest, "/about.html": { type: "text/html", content: "<h1>about, again</h1>" } };
  const session = await open(script, changed);
  assert.deepEqual(session.result.buckets, [[hashOf("/about.html", "<h1>about, again</h1>")]]);
  const jwt = await upload(script, changed);
  await deploy(script, { "index.js": SCRIPT }, { assets: { jwt }, bindings: [{ type: "assets", name: "ASSETS" }] });
  assert.equal((await visit(script, "/about")).text, "<h1>about, again</h1>");
  assert.equal((await visit(script, "/docs/")).text, "script /docs/");
  assert.deepEqual((await open(script, changed)).result.buckets, []);
});

test("tokens of an upload are good for nothing else", async () => {
  const [one, other] = [scriptName(), scriptName()];
  const file = { "/a.txt": { type: "text/plain", content: "a" } };
  const session = await open(one, file);
  const hash = hashOf("/a.txt", "a");
  assert.equal((await send("wrong", { [hash]: file["/a.txt"] })).status, 401);
  assert.equal((await send(session.result.jwt, { ["0".repeat(32)]: file["/a.txt"] })).errors[0]?.code, 10304);
  assert.equal(
    (await send(session.result.jwt, { [hash]: { type: "text/plain", content: "longer" } })).errors[0]?.code,
    10304,
  );
  const withToken = async (script: string, jwt: string) =>
    (await deploy(script, { "index.js": answering("1") }, { assets: { jwt } })).errors[0]?.code;
  assert.equal(await withToken(one, session.result.jwt), 10305, "an upload that is not complete");
  const sent = await send(session.result.jwt, { [hash]: file["/a.txt"] });
  assert.equal(sent.status, 201);
  assert.equal(await withToken(other, sent.result.jwt), 10305, "another script");
  assert.equal(
    (await call("GET", "/accounts", { headers: { authorization: `Bearer ${sent.result.jwt}` } })).status,
    401,
  );
  assert.equal(await withToken(one, sent.result.jwt), undefined);
});

test("a script with an assets binding but without assets is refused", async () => {
  const refused = await deploy(
    scriptName(),
    { "index.js": SCRIPT },
    { bindings: [{ type: "assets", name: "ASSETS" }] },
  );
  assert.match(refused.errors[0]?.message ?? "", /ASSETS/);
});
