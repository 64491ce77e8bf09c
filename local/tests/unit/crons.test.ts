import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCrons, isDue } from "../../src/crons.ts";
import { refused } from "./refused.ts";

test("a cron names minutes in UTC, in Cloudflare's dialect", () => {
  // 5 January 2026 is a Monday.
  for (const [cron, day, hour, minute, due] of [
    ["* * * * *", 5, 12, 30, true],
    ["30 12 * * *", 5, 12, 30, true],
    ["30 12 * * *", 5, 12, 31, false],
    ["*/15 * * * *", 5, 12, 45, true],
    ["5/15 * * * *", 5, 12, 50, true],
    ["5/15 * * * *", 5, 12, 45, false],
    ["0 0 * * 1", 4, 0, 0, true],
    ["0 0 * * 1", 5, 0, 0, false],
    ["0 0 * * 7", 10, 0, 0, true],
    ["0 0 * * 2-6", 5, 0, 0, true],
    ["0 0 * * MON", 5, 0, 0, true],
    ["0 0 * * mon#2", 12, 0, 0, true],
    ["0 0 * * mon#2", 5, 0, 0, false],
    ["0 0 * JAN 6L", 30, 0, 0, true],
    ["0 0 L * *", 31, 0, 0, true],
    ["0 0 4W * *", 5, 0, 0, true],
    ["0 0 13 * 2", 5, 0, 0, true],
  ] as const) {
    assert.equal(isDue(cron, new Date(Date.UTC(2026, 0, day, hour, minute))), due, `${cron} on ${day} January, ${hour}:${minute}`);
  }
});

test("invalid crons are refused", async () => {
  for (const cron of ["", "* * * *", "* * * * * *", "60 * * * *", "0 24 * * *", "0 0 32 * *", "0 0 * 13 *", "0 0 * * 0", "0 0 * * 8", "0 0 31 2 *"]) {
    await refused(10100, /is invalid/, () => checkCrons([cron], 0));
  }
  await refused(10100, /the same/, () => checkCrons(["* * * * *", "* * * * *"], 0));
  checkCrons(["* * * * *"], 999);
  await refused(10072, /1000 cron triggers/, () => checkCrons(["* * * * *"], 1000));
});
