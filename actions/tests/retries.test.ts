import assert from "node:assert/strict";
import { test } from "node:test";

import { parseApiAddress } from "../login/src/api-address.ts";
import { ActionFailure } from "../step/failure.ts";
import { logIn } from "../login/src/login.ts";
import { log } from "../step/workflow-commands.ts";

const SOURCE = { url: new URL("https://github.example/token"), bearer: "b" };

/** A world with a clock that only pauses and requests advance. */
function world(respond: (url: URL) => Response | Promise<Response>, duration = 0) {
  const pauses: number[] = [];
  let time = 0;
  return {
    pauses,
    time: () => time,
    send: async (url: URL) => {
      time += duration;
      return respond(url);
    },
    now: () => time,
    pause: async (milliseconds: number) => {
      pauses.push(milliseconds);
      time += milliseconds;
    },
    mask: () => undefined,
    log: () => undefined,
  };
}

async function failureOf(login: Promise<unknown>): Promise<ActionFailure> {
  try {
    await login;
  } catch (error) {
    assert.ok(error instanceof ActionFailure, String(error));
    return error;
  }
  assert.fail("the login succeeded");
}

test("transient failures are retried for less than a minute", async () => {
  const refusing = world(() => Promise.reject(new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") })));
  const failure = await failureOf(logIn(refusing, new URL("https://api.example"), "a", SOURCE));
  assert.deepEqual(refusing.pauses, [1000, 2000, 4000, 8000, 16_000, 16_000]);
  assert.match(failure.lines.join(" "), /connect ECONNREFUSED.*Gave up after 7 tries/);

  const slow = world(() => new Response("", { status: 502 }), 9000);
  await failureOf(logIn(slow, new URL("https://api.example"), "a", SOURCE));
  assert.ok(slow.time() <= 60_000 + 9000, `${slow.time()}`);
});

test("a pause that the server asks for is kept, unless it is longer than the minute", async () => {
  const locked = (seconds: number) =>
    world(() => new Response(JSON.stringify({ title: "t", detail: "Locked out." }), { status: 429, headers: { "Retry-After": `${seconds}` } }));
  const long = locked(900);
  const failure = await failureOf(logIn(long, new URL("https://api.example"), "a", SOURCE));
  assert.deepEqual(long.pauses, []);
  assert.match(failure.lines.join(" "), /Locked out\. Gave up after 1 try\./);
  const short = locked(25);
  await failureOf(logIn(short, new URL("https://api.example"), "a", SOURCE));
  assert.deepEqual(short.pauses, [25_000, 25_000]);
});

test("the address of the deploy API is an https URL without anything else", () => {
  for (const text of ["https://deploy.example.com", "https://deploy.example.com/", "https://deploy.example.com/client/v4", "HTTPS://Deploy.Example.com"]) {
    assert.equal(parseApiAddress(text).origin, "https://deploy.example.com");
  }
  assert.equal(parseApiAddress("http://localhost:8787").origin, "http://localhost:8787");
  for (const text of [
    "",
    "deploy.example.com",
    "http://deploy.example.com",
    "http://localhost.example.com",
    "https://user@deploy.example.com",
    "https://deploy.example.com/v1",
    "https://deploy.example.com?x",
    "ftp://deploy.example.com",
  ]) {
    assert.throws(() => parseApiAddress(text), ActionFailure, text);
  }
});

test("a line of the log is not a workflow command", (t) => {
  const written: string[] = [];
  t.mock.method(process.stdout, "write", (text: string) => written.push(text) > 0);
  for (const line of ["  ::error::x", "a\n::error::x", "a ##[error]x", "fine"]) log(line);
  t.mock.restoreAll();
  const lines = written.join("").split("\n").slice(0, -1);
  assert.equal(lines.length, 4);
  for (const line of lines) assert.doesNotMatch(line, /^\s*::|##\[/);
  assert.equal(lines[3], "fine");
});
