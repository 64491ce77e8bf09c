import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore } from "../../local/tests/unit/sqlite.ts";
import { type Filter, type Positioned, matches } from "../src/query.ts";
import { LogStore, MAX_AGE_MS, MAX_BYTES, MAX_EVENTS } from "../src/store.ts";
import type { LogEvent } from "../src/types.ts";

const NOW = Date.parse("2026-11-28T12:00:00Z");

/** An event of the second `number` after {@link NOW}. */
function event(number: number, members: Partial<LogEvent> = {}): LogEvent {
  return {
    time: new Date(NOW + number * 1000).toISOString(),
    namespace: "dotdo-staging",
    worker: "agents",
    source: "worker",
    trigger: "request",
    deployment: null,
    version: null,
    outcome: "ok",
    code: null,
    request_id: `ray-${number}`,
    method: "GET",
    host: "agents.do",
    path: `/${number}`,
    status: 200,
    wall_ms: 1,
    cpu_ms: null,
    lines: [],
    exceptions: [],
    omitted: 0,
    ...members,
  };
}

function append(store: LogStore, numbers: readonly number[], now = NOW, members: Partial<LogEvent> = {}): void {
  store.append(numbers.map((number) => JSON.stringify(event(number, members))), now, { id: crypto.randomUUID(), isRepeated: false });
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function paths(found: Iterable<Positioned>): (string | null)[] {
  return [...found].map(({ event }) => event.path);
}

/** The numbers of rows in the database. */
function rows(sql: SqlStorage): number {
  return sql.exec<{ rows: number }>("SELECT count(*) AS rows FROM blocks").one().rows;
}

test("a log that is only read stores nothing", () => {
  const sql = openStore("");
  const store = new LogStore(sql);
  assert.deepEqual(store.before(null, {}, 10), []);
  assert.deepEqual([...store.between(0, store.next, {})], []);
  assert.deepEqual(store.dropped(), { events: 0, last: null });
  assert.equal(store.expire(NOW), null);
  store.append([], NOW, { id: "batch", isRepeated: true });
  assert.deepEqual(sql.exec("SELECT name FROM sqlite_master").toArray(), []);
});

test("a log that was created when batches had no ids keeps its events and stores new ones", () => {
  const sql = openStore(
    "CREATE TABLE blocks (first INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL, stored INTEGER NOT NULL, events TEXT NOT NULL)",
  );
  sql.exec("CREATE TABLE drops (id INTEGER PRIMARY KEY CHECK (id = 0), count INTEGER NOT NULL, last INTEGER NOT NULL)");
  const old = JSON.stringify(event(0));
  sql.exec("INSERT INTO blocks VALUES (?, 1, ?, ?, ?)", NOW * 1000, old.length + 1, NOW, old);
  append(new LogStore(sql), [1]);
  assert.deepEqual(paths(new LogStore(sql).before(null, {}, 10)), ["/1", "/0"]);
});

test("events are read back in both directions, page by page, also after a restart", () => {
  const sql = openStore("");
  append(new LogStore(sql), range(0, 150));
  append(new LogStore(sql), range(150, 250));
  const store = new LogStore(sql);
  const found: Positioned[] = [];
  for (;;) {
    const page = store.before(found.at(-1)?.position ?? null, {}, 60);
    found.push(...page);
    if (page.length < 60) break;
  }
  assert.deepEqual(paths(found), range(0, 250).reverse().map((number) => `/${number}`));
  const tenth = found.at(-10)?.position ?? assert.fail();
  assert.deepEqual(paths(store.between(tenth, store.next, {})), range(9, 250).map((number) => `/${number}`));
  assert.deepEqual(paths(store.between(store.next, store.next, {})), []);
  // A client that follows gets what is stored while it reads as new events, and must not get it twice.
  const stored = store.between(tenth, store.next - 1, {});
  append(store, [250]);
  assert.deepEqual(paths(stored), range(9, 250).map((number) => `/${number}`));
});

test("a batch of events is one row", () => {
  const sql = openStore("");
  const store = new LogStore(sql);
  for (let batch = 0; batch < 20; batch += 1) append(store, range(0, 50));
  assert.equal(rows(sql), 20);
});

test("a batch that is repeated is stored once, also after a restart", () => {
  const sql = openStore("");
  const events = range(0, 250).map((number) => JSON.stringify(event(number)));
  // The answer to the first attempt was lost.
  new LogStore(sql).append(events, NOW, { id: "first", isRepeated: false });
  const store = new LogStore(sql);
  assert.equal(store.append(events, NOW, { id: "first", isRepeated: true }), null);
  assert.equal(paths(store.before(null, {}, 1000)).length, 250);
  // The first attempt did not arrive.
  assert.notEqual(store.append(events.slice(0, 1), NOW, { id: "second", isRepeated: true }), null);
  assert.equal(paths(store.before(null, {}, 1000)).length, 251);
});

test("the last 5,000 events are stored, and at most a block more", () => {
  const sql = openStore("");
  const store = new LogStore(sql);
  for (let batch = 0; batch < 80; batch += 1) append(store, range(batch * 90, (batch + 1) * 90));
  const found = paths(store.before(null, {}, 10_000));
  assert.ok(found.length >= MAX_EVENTS && found.length < MAX_EVENTS + 100, String(found.length));
  assert.equal(found[0], "/7199");
  assert.deepEqual(paths(new LogStore(sql).before(null, {}, 10_000)), found);
});

test("a log has at most 4 MB", () => {
  const sql = openStore("");
  const store = new LogStore(sql);
  const long = [{ time: event(0).time, level: "log" as const, text: "ü".repeat(7000) }];
  for (let batch = 0; batch < 100; batch += 1) append(store, range(batch * 10, batch * 10 + 10), NOW, { lines: long });
  const { bytes } = sql.exec<{ bytes: number }>("SELECT sum(length(CAST(events AS BLOB))) AS bytes FROM blocks").one();
  assert.ok(bytes <= MAX_BYTES && bytes > MAX_BYTES - 200_000, String(bytes));
  assert.equal(paths(store.before(null, {}, 1))[0], "/999");
});

test("events expire, and positions are never used again", () => {
  const sql = openStore("");
  const store = new LogStore(sql);
  append(store, [1, 2], NOW);
  append(store, [3], NOW + 1000);
  store.recordDropped(7, NOW);
  const last = store.next;
  assert.equal(store.expire(NOW + MAX_AGE_MS - 1), NOW);
  assert.equal(store.expire(NOW + MAX_AGE_MS), NOW + 1000);
  assert.deepEqual(paths(store.before(null, {}, 10)), ["/3"]);
  assert.equal(store.dropped().events, 0);
  assert.equal(store.expire(NOW + MAX_AGE_MS + 1000), null);
  append(store, [4], NOW + MAX_AGE_MS + 2000);
  assert.ok((store.before(null, {}, 1)[0]?.position ?? 0) >= last);
});

test("dropped events are counted", () => {
  const store = new LogStore(openStore(""));
  store.recordDropped(3, NOW);
  store.recordDropped(4, NOW + 5);
  assert.deepEqual(store.dropped(), { events: 7, last: NOW + 5 });
});

test("filters select by time, level, text, request and Worker", () => {
  const line = (level: "debug" | "info" | "error", text: string) => ({ time: event(0).time, level, text });
  const thrown = { time: event(0).time, name: "TypeError", message: "x is null", stack: "at checkout.js:3" };
  const events = {
    quiet: event(0),
    chatty: event(10, { lines: [line("debug", "Cart opened"), line("info", "paid")] }),
    complaining: event(20, { lines: [line("error", "no stock")] }),
    broken: event(30, { outcome: "exception", exceptions: [thrown] }),
    slow: event(40, { outcome: "exceededCpu", worker: "other" }),
  };
  const found = (filter: Filter) =>
    Object.entries(events).filter(([, event]) => matches(filter, event)).map(([name]) => name).join(" ");
  assert.equal(found({}), "quiet chatty complaining broken slow");
  assert.equal(found({ since: NOW + 10_000, until: NOW + 30_000 }), "chatty complaining");
  assert.equal(found({ level: 2 }), "chatty complaining broken slow");
  assert.equal(found({ level: 4 }), "complaining broken slow");
  assert.equal(found({ search: "cART" }), "chatty");
  assert.equal(found({ search: "checkout.js" }), "broken");
  assert.equal(found({ search: "/4" }), "slow");
  assert.equal(found({ request: "ray-20" }), "complaining");
  assert.equal(found({ worker: "other" }), "slow");
});
