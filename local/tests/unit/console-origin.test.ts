import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutOrigin } from "../../src/console-origin.ts";
import { NAMES } from "../../src/isolate/names.ts";

const { start, end, endOfValue } = NAMES.consoleOrigin;

function shown(...message: unknown[]): unknown {
  return withoutOrigin({ timestamp: 1, level: "log", message }).message;
}

test("the mark of a line is removed from its trace", () => {
  assert.deepEqual(shown(`${start}dotdo-staging/a ray-1${end}served %s`, "/x"), ["served %s", "/x"]);
  assert.deepEqual(shown(`${start}a${end}`), [""]);
  assert.deepEqual(shown(`${start}a${endOfValue}`, { id: 7 }), [{ id: 7 }]);
  assert.deepEqual(shown(`${start}a${endOfValue}`), []);
});

test("other lines stay as they are", () => {
  assert.deepEqual(shown("plain", 1), ["plain", 1]);
  assert.deepEqual(shown(7), [7]);
  assert.deepEqual(shown(), []);
  assert.equal(withoutOrigin({ timestamp: 1, level: "log", message: "a text" }).message, "a text");
});

test("the details of errors stay with their values", () => {
  const error = { name: "Error", message: "broken" };
  const log = { timestamp: 1, level: "log", message: [`${start}a${endOfValue}`, {}], errorInfo: [null, error] };
  assert.deepEqual(withoutOrigin(log).errorInfo, [error]);
});
