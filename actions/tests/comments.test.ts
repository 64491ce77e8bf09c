import assert from "node:assert/strict";
import { test } from "node:test";

import { changesOf, htmlOf } from "../deploy/src/report.ts";
import { Fixture, pullRequest } from "./deploy-job.ts";
import { PERSONAL_TOKEN } from "./github/stand-in.ts";

test("a refused login is shown in the comment of the preview, with the claims in the summary", async (t) => {
  const job = await Fixture.of(t);
  await job.run(pullRequest(), "preview: true");
  const problem = { title: "The policy does not allow this", detail: "No.", code: "PERMISSION_DENIED", notes: ['Rule "x" expects ref y.'] };
  job.servers.exchanges = [{ status: 403, body: problem }];
  const head = "4444444444444444444444444444444444444444";
  const refused = await job.run(pullRequest({ head }), "preview: true");
  assert.deepEqual(refused.annotations.map(({ message }) => message), ['No.\nRule "x" expects ref y.']);
  for (const text of ["<b>failed</b>", head, "expects ref y."]) assert.ok(job.github.commentsIn(12)[0]?.body.includes(text), text);
  assert.match(refused.summary, /The claims of this run.*drivly\/agents/);
  assert.deepEqual(job.states, [["in_progress", "success"], ["in_progress", "failure"]]);

  job.github.stored.comments = [];
  const closed = await job.run(pullRequest({ action: "closed" }), "preview: true");
  assert.ok(!closed.succeeded && job.github.stored.comments.length === 0, closed.log);
});

test("a comment with many changes and a long failure is not longer than GitHub allows", async (t) => {
  const job = await Fixture.of(t);
  const bindings = Array.from({ length: 3000 }, (_, number) => ({ name: `BINDING_${number}`, type: "plain_text" }));
  job.records("first", null, bindings);
  const many = await job.run(pullRequest(), "preview: true");
  assert.match(job.github.commentsIn(12)[0]?.body ?? "", /BINDING_39 .*and 2960 more/);
  assert.deepEqual(many.annotations, []);
  job.wrangler('for i in {1..60}; do printf "%03000d\\n" $i; done; exit 1', "none");
  const long = await job.run(pullRequest(), "preview: true");
  assert.match(job.github.commentsIn(12)[0]?.body ?? "", /<b>failed<\/b>/);
  assert.deepEqual(long.annotations.map(({ level }) => level), ["error"]);

  // Six characters of HTML for each of the text, and half of a character at the end.
  job.wrangler(`for i in {1..60}; do head -c 499 /dev/zero | tr '\\0' '"'; echo "\u{1f600}"; done; exit 1`, "none");
  const quotes = await job.run(pullRequest(), "preview: true");
  assert.deepEqual(quotes.annotations.map(({ level }) => level), ["error"]);
  const { body = "" } = job.github.commentsIn(12)[0] ?? {};
  assert.match(body, /<b>failed<\/b>.*wrangler could not deploy the Worker.*and \d+ more<.*<a href="[^"]*">the run<\/a>/);
  assert.ok(body.includes("\u{fffd} \u{2026}") && body.isWellFormed(), body.slice(0, 5000));
});

test("two runs at once keep one comment, and a later run's text", async (t) => {
  const job = await Fixture.of(t);
  // Both have listed the comments before one is created.
  let waiting = 0;
  let release: () => void = () => undefined;
  const both = new Promise<void>((resolve) => (release = resolve));
  job.github.before = async (operation) => {
    if (operation !== "issues/create-comment") return;
    waiting += 1;
    if (waiting === 2) release();
    await both;
  };
  const runs = await Promise.all([job.run(pullRequest(), "preview: true"), job.run(pullRequest(), "preview: true")]);
  assert.ok(runs.every(({ succeeded }) => succeeded), runs.map(({ log }) => log).join("\n"));
  assert.equal(waiting, 2);
  assert.equal(job.github.commentsIn(12).length, 1);
  assert.match(job.github.commentsIn(12)[0]?.body ?? "", /<b>deployed<\/b>/);

  job.github.before = async () => undefined;
  const [comment] = job.github.commentsIn(12);
  const later = `<!-- dotdo-preview agents-pr-12 ${Date.now() + 60_000} -->\nlater`;
  if (comment !== undefined) comment.body = later;
  await job.run(pullRequest(), "preview: true");
  assert.deepEqual(job.github.commentsIn(12).map(({ body }) => body), [later]);
});

test("the comment is found on a later page, and comments of others with its marker are left alone", async (t) => {
  const job = await Fixture.of(t);
  const text = "<!-- dotdo-preview agents-pr-12 1 -->\nx";
  const { stored } = job.github;
  const add = (body: string, type: string, role: string) =>
    stored.comments.push({ id: stored.next++, issue: 12, body, user: { login: "someone", type }, author_association: role });
  for (const role of ["CONTRIBUTOR", "MEMBER"]) add(text, "User", role);
  for (let index = 0; index < 130; index += 1) add("a review", "User", "MEMBER");
  add("<!-- dotdo-preview mail-pr-12 1 -->\nof another Worker", "Bot", "NONE");
  add(text, "Bot", "NONE");
  const kept = stored.comments.at(-1)?.id;
  const finished = await job.run(pullRequest(), "preview: true");
  assert.ok(finished.succeeded, finished.log);
  assert.equal(job.github.commentsIn(12).length, 134);
  const changed = job.github.commentsIn(12).filter(({ body }) => body.includes("<b>deployed</b>"));
  assert.deepEqual(changed.map(({ id }) => id), [kept]);
});

test("with the token of a person, their comment is kept", async (t) => {
  const job = await Fixture.of(t);
  const token = `preview: true, github-token: ${PERSONAL_TOKEN}`;
  job.github.stored.comments.push({ id: 1, issue: 12, body: "<!-- dotdo-preview agents-pr-12 1 -->", user: { login: "someone", type: "User" }, author_association: "OWNER" });
  for (const _ of [1, 2]) {
    const finished = await job.run(pullRequest(), token);
    assert.ok(finished.succeeded && finished.annotations.length === 0, finished.log);
  }
  assert.deepEqual(job.github.commentsIn(12).map(({ user }) => user.login), ["someone", "maintainer"]);
});

test("a refused comment is explained by its reason", async (t) => {
  const job = await Fixture.of(t);
  for (const [message, hint] of [
    ["API rate limit exceeded for installation.", /rate limit.*Run the job again later\.$/s],
    ["Unable to create comment because issue is locked.", /issue is locked\.\.$/],
    ["Resource not accessible by integration", /Add `pull-requests: write`/],
  ] as const) {
    job.github.faults = [1, 2].map(() => ({ operation: "issues/create-comment", status: 403, message }));
    const finished = await job.run(pullRequest(), "preview: true");
    assert.ok(finished.succeeded, finished.log);
    assert.match(finished.annotations[0]?.message ?? "", hint);
  }
});

test("a report names what did not fit, shows sizes with their unit, and text only in its order", () => {
  const warnings = Array.from({ length: 500 }, (_, number) => ({ code: "LINT", message: `${number} \u{202e}${'"'.repeat(1000)}` }));
  const deployment = { id: "first", urls: [], size: 1_345_678, startup: undefined, bindings: new Map(), modules: new Map(), previous: undefined, warnings };
  const before = { ...deployment, size: 1_346_678 };
  const html = htmlOf({
    status: "deployed",
    worker: "agents",
    environment: "staging",
    commit: "c",
    commitPage: "https://github.com/c",
    log: "https://github.com/log",
    isPreview: false,
    deployment,
    changes: changesOf(before, deployment),
  });
  assert.ok(html.length < 65_536 && !html.includes("\u{202e}"), html.slice(0, 2000));
  assert.match(html, /<td>1\.35 MB \(−1\.0 kB\)<\/td>.*<td>\d+ more in the log<\/td>.*>the run<\/a>/);
});
