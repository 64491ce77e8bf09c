import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_CONTENT, MAX_LINES, MAX_TEXT, TRUNCATED, truncated } from "../src/event.ts";
import { logOf } from "../src/names.ts";
import { eventOf, eventOfFailure } from "../src/trace.ts";

const TIME = Date.parse("2026-11-28T12:00:00.250Z");
const SOURCE = { namespace: "dotdo-staging", worker: "agents" } as const;

function trace(members: object): TraceItem {
  return {
    event: {
      request: {
        method: "POST",
        url: "https://agents.do/pay?token=secret#x",
        headers: { "cf-ray": "8f1f0d3c2b1a0987-AMS", authorization: "secret" },
      },
      response: { status: 201 },
    },
    eventTimestamp: TIME,
    logs: [],
    exceptions: [],
    outcome: "ok",
    wallTime: 12.4,
    cpuTime: 3,
    ...members,
  } as unknown as TraceItem;
}

function log(level: string, ...message: unknown[]): object {
  return { timestamp: TIME, level, message };
}

test("an event has neither a query string nor headers", () => {
  const event = eventOf(
    trace({
      scriptVersion: { id: "v1" },
      scriptTags: ["team-a", "dotdo-deployment-0190f5c0000070008000000000000001"],
      logs: [log("info", "paid", { amount: 3 }, null), log("notice", "x")],
      exceptions: [{ timestamp: TIME, name: "TypeError", message: "broken", stack: "at index.js:1" }],
      outcome: "exception",
    }),
    SOURCE,
  );
  assert.deepEqual(event, {
    time: "2026-11-28T12:00:00.250Z",
    ...SOURCE,
    source: "worker",
    trigger: "request",
    deployment: "0190f5c0-0000-7000-8000-000000000001",
    version: "v1",
    outcome: "exception",
    code: null,
    request_id: "8f1f0d3c2b1a0987-AMS",
    method: "POST",
    host: "agents.do",
    path: "/pay",
    status: 201,
    wall_ms: 12,
    cpu_ms: 3,
    lines: [
      { time: "2026-11-28T12:00:00.250Z", level: "info", text: 'paid {"amount":3} null' },
      { time: "2026-11-28T12:00:00.250Z", level: "log", text: "x" },
    ],
    exceptions: [{ time: "2026-11-28T12:00:00.250Z", name: "TypeError", message: "broken", stack: "at index.js:1" }],
    omitted: 0,
  });
  assert.equal(JSON.stringify(event).includes("secret"), false);
});

test("the trigger is that of the event", () => {
  for (const [event, trigger] of [
    [{ rpcMethod: "add" }, "call"],
    [{ cron: "* * * * *", scheduledTime: 1 }, "scheduled"],
    [{ scheduledTime: new Date() }, "alarm"],
    [{ queue: "jobs", batchSize: 1 }, "queue"],
    [null, "other"],
  ] as const) {
    const found = eventOf(trace({ event }), SOURCE);
    assert.equal(found.trigger, trigger);
    assert.equal(found.path, null);
  }
});

test("a request id that is not a cf-ray, and a URL that is not one, are not taken", () => {
  const request = { method: "GET", url: "not a url?x", headers: { "cf-ray": "<script>" } };
  const event = eventOf(trace({ event: { request } }), SOURCE);
  assert.equal(event.request_id, null);
  assert.equal(event.path, "not a url");
  assert.equal(event.status, null, "there was no response");
});

test("long texts are truncated between characters, and marked", () => {
  assert.equal(truncated("short", 5), "short");
  const text = truncated("🌍".repeat(100), 50);
  assert.ok(text.length <= 50 && text.endsWith(`🌍${TRUNCATED}`), text);
  const stack = "s".repeat(MAX_TEXT.stack * 2);
  const event = eventOf(
    trace({
      logs: [log("log", "l".repeat(MAX_TEXT.line + 1))],
      exceptions: [{ timestamp: TIME, name: "Error", message: "m".repeat(5000), stack }],
    }),
    SOURCE,
  );
  assert.equal(event.lines[0]?.text.length, MAX_TEXT.line);
  assert.equal(event.exceptions[0]?.message.length, MAX_TEXT.message);
  assert.ok(event.exceptions[0]?.stack?.endsWith(TRUNCATED));
});

test("what does not fit is left out and counted, and exceptions come before lines", () => {
  const long = Array.from({ length: 50 }, () => log("log", "x".repeat(1000)));
  const event = eventOf(trace({ logs: long, exceptions: [{ timestamp: TIME, name: "E", message: "m" }] }), SOURCE);
  assert.equal(event.exceptions.length, 1);
  assert.equal(event.lines.length, Math.floor((MAX_CONTENT - 2) / 1000));
  assert.equal(event.omitted, 50 - event.lines.length);
  const many = eventOf(trace({ logs: Array.from({ length: 100_000 }, () => log("log", "")) }), SOURCE);
  assert.equal(many.lines.length, MAX_LINES);
  assert.equal(many.omitted, 100_000 - MAX_LINES);
});

test("a value that has no text does not prevent the event", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const event = eventOf(trace({ logs: [log("log", circular, undefined, 1n)], eventTimestamp: Number.NaN }), SOURCE);
  assert.equal(event.lines[0]?.text, "[object Object] undefined 1");
  assert.equal(event.time, "1970-01-01T00:00:00.000Z");
});

test("only failures of a Worker that is deployed have a log of their own", () => {
  const failure = {
    ...SOURCE,
    status: 502,
    request_id: "ray-1",
    method: "GET",
    host: "agents.do",
    path: "/",
    cause: "boom",
  };
  for (const [code, log] of [
    ["WORKER_FAILED", "dotdo-staging/agents"],
    ["WORKER_LIMIT_EXCEEDED", "dotdo-staging/agents"],
    ["WORKER_NOT_DEPLOYED", "dotdo-staging"],
    ["DISPATCH_UNAVAILABLE", "dotdo-staging"],
  ] as const) {
    const event = eventOfFailure({ ...failure, code }, TIME);
    assert.equal(logOf(event), log);
    assert.equal(event.exceptions[0]?.message, "boom");
  }
  assert.equal(logOf(eventOf(trace({}), SOURCE)), "dotdo-staging/agents");
});
