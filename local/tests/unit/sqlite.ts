import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from "node:sqlite";
import { SCHEMA } from "../../src/store/schema.ts";

/** A real SQLite database behind the interface that a Durable Object gives to its own. */
export function openStore(schema = SCHEMA): SqlStorage {
  const database = new DatabaseSync(":memory:");
  database.exec(schema);
  const exec = (query: string, ...bindings: unknown[]) => {
    const values = bindings.map((value) =>
      value instanceof ArrayBuffer ? new Uint8Array(value) : (value as SQLInputValue),
    );
    const rows = database
      .prepare(query)
      .all(...values)
      .map(fromRow);
    return {
      toArray: () => rows,
      one: () => {
        const [row, ...others] = rows;
        if (row === undefined || others.length > 0) throw new Error(`one row was expected, not ${rows.length}`);
        return row;
      },
    };
  };
  return { exec } as unknown as SqlStorage;
}

function fromRow(row: Record<string, SQLOutputValue>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      value instanceof Uint8Array ? Uint8Array.from(value).buffer : value,
    ]),
  );
}
