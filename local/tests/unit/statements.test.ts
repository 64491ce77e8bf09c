import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransactionControl, splitStatements } from "../../src/bindings/d1/statements.ts";

test("SQL is split at semicolons that end a statement, and at no others", () => {
  for (const [sql, statements] of [
    ["", []],
    [" ;; -- nothing\n/* nothing */ ", []],
    ["SELECT 1", ["SELECT 1"]],
    ["SELECT 1; SELECT 2;", ["SELECT 1", "SELECT 2"]],
    ["SELECT 'a;b', \"c;d\", `e;f`, [g;h]; SELECT 'it''s;'", ["SELECT 'a;b', \"c;d\", `e;f`, [g;h]", "SELECT 'it''s;'"]],
    ["SELECT 1 -- a;b\n; SELECT /* c;d */ 2", ["SELECT 1 -- a;b", "SELECT /* c;d */ 2"]],
    ["SELECT CASE WHEN 1 THEN 2 END; SELECT 3", ["SELECT CASE WHEN 1 THEN 2 END", "SELECT 3"]],
    [
      "CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN 1 THEN 2 END; SELECT 1; END; SELECT 4",
      ["CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE a SET b = CASE WHEN 1 THEN 2 END; SELECT 1; END", "SELECT 4"],
    ],
    ["create temp trigger t after insert on a begin select 1; end; select 2", ["create temp trigger t after insert on a begin select 1; end", "select 2"]],
    ["BEGIN TRANSACTION; SELECT 1; COMMIT;", ["BEGIN TRANSACTION", "SELECT 1", "COMMIT"]],
    ["SELECT 'open", ["SELECT 'open"]],
  ] as const) {
    assert.deepEqual(splitStatements(sql), statements, sql);
  }
});

test("a large file is split in linear time", () => {
  const row = "INSERT INTO t VALUES (1, 'a;''b');\n";
  assert.equal(splitStatements(row.repeat(100_000)).length, 100_000);
});

test("only statements that begin or end a transaction are left out of an import", () => {
  for (const statement of ["BEGIN", "begin transaction", "BEGIN IMMEDIATE TRANSACTION", "COMMIT", "End Transaction"]) {
    assert.ok(isTransactionControl(statement), statement);
  }
  for (const statement of ["SELECT 1", "ROLLBACK", "CREATE TABLE begin_log (a)"]) assert.ok(!isTransactionControl(statement), statement);
});
