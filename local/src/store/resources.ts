import type { StorageAddress, StorageKind } from "../bindings/storage.ts";

/** A KV namespace, a D1 database or an R2 bucket as the REST API lists it. Its data is in a storage object. */
export interface Resource extends StorageAddress {
  /** The title of a KV namespace or the name of a database, unique among those of its kind. For a bucket, its id. */
  readonly name: string;
  /** RFC 3339, UTC. */
  readonly createdOn: string;
}

/** The table of resources. */
export class Resources {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Adds the resource if it is missing. Its name is its id. */
  ensure({ kind, id }: StorageAddress, now: Date): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO resources (kind, id, name, created_on) VALUES (?, ?, ?, ?)",
      kind,
      id,
      id,
      now.toISOString(),
    );
  }

  /** Adds a resource. `null` if its id or its name is taken. */
  create({ kind, id }: StorageAddress, name: string, now: Date): Resource | null {
    const taken = this.#sql.exec("SELECT id FROM resources WHERE kind = ? AND (id = ? OR name = ?)", kind, id, name);
    if (taken.toArray().length > 0) return null;
    const createdOn = now.toISOString();
    this.#sql.exec("INSERT INTO resources (kind, id, name, created_on) VALUES (?, ?, ?, ?)", kind, id, name, createdOn);
    return { kind, id, name, createdOn };
  }

  /** Changes the name. False if there is no such resource, or another has this name. */
  rename({ kind, id }: StorageAddress, name: string): boolean {
    const renamed = this.#sql.exec(
      `UPDATE resources SET name = ?1 WHERE kind = ?2 AND id = ?3
       AND NOT EXISTS (SELECT 1 FROM resources WHERE kind = ?2 AND name = ?1 AND id <> ?3) RETURNING id`,
      name,
      kind,
      id,
    );
    return renamed.toArray().length > 0;
  }

  /** Removes the resource, but not its data. */
  remove({ kind, id }: StorageAddress): void {
    this.#sql.exec("DELETE FROM resources WHERE kind = ? AND id = ?", kind, id);
  }

  /** The resources of a kind by name. */
  list(kind: StorageKind): Resource[] {
    return this.#sql
      .exec("SELECT id, name, created_on FROM resources WHERE kind = ? ORDER BY name", kind)
      .toArray()
      .map((row) => ({ kind, id: String(row["id"]), name: String(row["name"]), createdOn: String(row["created_on"]) }));
  }
}
