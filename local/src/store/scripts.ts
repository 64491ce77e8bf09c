import type { ScriptAddress, ScriptVersion, StoredScript, VersionAddress } from "../script.ts";

/** How long a replaced version can be started, in milliseconds. */
const LEFT_VERSION_MS = 10 * 60 * 1000;

/** A change of a script: the revision that it was made from, and the new version. */
export interface ScriptChange extends ScriptAddress {
  /** The revision that the change starts from; `null` if there was no script. */
  readonly from: string | null;
  readonly to: ScriptVersion;
  /** The message of the deployment of an account Worker. */
  readonly message?: string | null;
}

/** The version that requests to a script get. */
export interface LiveVersion {
  readonly id: string;
  readonly hasAssets: boolean;
}

/** A script whose live version has a binding to a queue. */
export interface QueueProducer extends ScriptAddress {
  readonly queueName: string;
}

type Row = {
  namespace: string;
  script: string;
  revision: string;
  created_on: string;
  modified_on: string;
  document: string;
};

const SELECT = `SELECT scripts.namespace, scripts.script, revision, created_on, modified_on, document
  FROM scripts JOIN versions ON versions.id = scripts.version`;

function fromRow(row: Row): StoredScript {
  return {
    namespace: row.namespace,
    script: row.script,
    revision: row.revision,
    createdOn: row.created_on,
    modifiedOn: row.modified_on,
    version: JSON.parse(row.document) as ScriptVersion,
  };
}

/** Which script is live in which version. */
export class Scripts {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The parts of the live version that a request needs. */
  live({ namespace, script }: ScriptAddress): LiveVersion | null {
    const rows = this.#sql
      .exec<{ id: string; assets: number }>(
        `SELECT versions.id, json_extract(document, '$.assets') IS NOT NULL AS assets
         FROM scripts JOIN versions ON versions.id = scripts.version WHERE scripts.namespace = ? AND scripts.script = ?`,
        namespace,
        script,
      )
      .toArray();
    return rows[0] ? { id: rows[0].id, hasAssets: rows[0].assets === 1 } : null;
  }

  /** The script with its current version. */
  get({ namespace, script }: ScriptAddress): StoredScript | null {
    const rows = this.#sql
      .exec<Row>(`${SELECT} WHERE scripts.namespace = ? AND scripts.script = ?`, namespace, script)
      .toArray();
    return rows[0] ? fromRow(rows[0]) : null;
  }

  /** A version, also one that was replaced a short time ago. */
  version(id: string): ScriptVersion | null {
    const rows = this.#sql.exec<{ document: string }>("SELECT document FROM versions WHERE id = ?", id).toArray();
    return rows[0] ? (JSON.parse(rows[0].document) as ScriptVersion) : null;
  }

  /** The class whose objects have this storage, in the live version of its script. */
  objectClass(storage: string): (VersionAddress & { className: string }) | null {
    const rows = this.#sql
      .exec<{ namespace: string; script: string; version: string; className: string }>(
        `SELECT scripts.namespace, scripts.script, versions.id AS version, classes.key AS className
         FROM scripts JOIN versions ON versions.id = scripts.version, json_each(document, '$.objectClasses') AS classes
         WHERE instr(document, ?) AND classes.value = ?`,
        storage,
        storage,
      )
      .toArray();
    return rows[0] ?? null;
  }

  /** The scripts whose live versions have bindings to queues. */
  queueProducers(): QueueProducer[] {
    return this.#sql
      .exec<{ namespace: string; script: string; queueName: string }>(
        `SELECT DISTINCT scripts.namespace, scripts.script, json_extract(bindings.value, '$.queue_name') AS queueName
         FROM scripts JOIN versions ON versions.id = scripts.version, json_each(document, '$.bindings') AS bindings
         WHERE json_extract(bindings.value, '$.type') = 'queue' ORDER BY scripts.namespace, scripts.script`,
      )
      .toArray();
  }

  /** The scripts of a namespace by name, those after `after` only. */
  list(namespace: string, after: string): StoredScript[] {
    return this.#sql
      .exec<Row>(
        `${SELECT} WHERE scripts.namespace = ? AND scripts.script > ? ORDER BY scripts.script`,
        namespace,
        after,
      )
      .toArray()
      .map(fromRow);
  }

  /** How many scripts a namespace holds. */
  count(namespace: string): number {
    return this.#sql
      .exec<{ scripts: number }>("SELECT count(*) AS scripts FROM scripts WHERE namespace = ?", namespace)
      .one().scripts;
  }

  /** Makes the new version live unless another change was made first. Call it inside a transaction. */
  change({ namespace, script, from, to }: ScriptChange, now: Date): boolean {
    const current = this.#current({ namespace, script });
    if ((current?.revision ?? null) !== from) return false;
    if (current && current.version !== to.id) this.#leave(current.version, now);
    const at = now.toISOString();
    this.#sql.exec(
      "INSERT OR REPLACE INTO versions (id, namespace, script, document) VALUES (?, ?, ?, ?)",
      to.id,
      namespace,
      script,
      JSON.stringify(to),
    );
    this.#sql.exec(
      `INSERT INTO scripts (namespace, script, revision, version, created_on, modified_on) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET revision = excluded.revision, version = excluded.version, modified_on = excluded.modified_on`,
      namespace,
      script,
      crypto.randomUUID(),
      to.id,
      at,
      at,
    );
    return true;
  }

  /** Removes a script with its assets. `false` if it does not exist. Call it inside a transaction. */
  remove({ namespace, script }: ScriptAddress, now: Date): boolean {
    const current = this.#current({ namespace, script });
    if (!current) return false;
    this.#leave(current.version, now);
    for (const table of ["scripts", "assets", "asset_sessions"]) {
      this.#sql.exec(`DELETE FROM ${table} WHERE namespace = ? AND script = ?`, namespace, script);
    }
    return true;
  }

  /** Deletes the replaced versions that no request can be starting. */
  removeLeft(now: Date): void {
    this.#sql.exec(
      "DELETE FROM versions WHERE left_at < ? AND id NOT IN (SELECT id FROM uploaded_versions)",
      now.getTime() - LEFT_VERSION_MS,
    );
  }

  #current({ namespace, script }: ScriptAddress): { revision: string; version: string } | null {
    const rows = this.#sql
      .exec<{ revision: string; version: string }>(
        "SELECT revision, version FROM scripts WHERE namespace = ? AND script = ?",
        namespace,
        script,
      )
      .toArray();
    return rows[0] ?? null;
  }

  #leave(version: string, now: Date): void {
    this.#sql.exec("UPDATE versions SET left_at = ? WHERE id = ?", now.getTime(), version);
  }
}
