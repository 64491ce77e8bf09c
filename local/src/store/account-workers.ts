import { ACCOUNT_NAMESPACE, type ScriptVersion } from "../script.ts";
import type { LiveVersion } from "./scripts.ts";

/** How many versions of an account Worker can be deployed again, and how many of its deployments are kept. As on Cloudflare. */
const KEPT_VERSIONS = 100;
const KEPT_DEPLOYMENTS = 100;

/** What an account Worker has besides its versions. */
export interface AccountWorker {
  /** Cloudflare's id of it: 32 hexadecimal digits. */
  readonly tag: string;
  /** Whether `NAME.workers.dev.localhost` serves it. */
  readonly workersDev: boolean;
  /** Stored only: no preview is served. */
  readonly previews: boolean;
}

/** What a request to an account Worker needs. */
export interface ServedWorker {
  readonly live: LiveVersion;
  readonly workersDev: boolean;
}

/** A version of an account Worker that can be deployed. */
export interface UploadedVersion {
  /** 1 for the first version of the Worker. */
  readonly number: number;
  readonly version: ScriptVersion;
}

/** A deployment of one version to all requests. */
export interface WorkerDeployment {
  /** A UUID. */
  readonly id: string;
  readonly version: string;
  /** RFC 3339, UTC. */
  readonly createdOn: string;
  readonly message: string | null;
}

/** A cron of an account Worker. */
export interface Schedule {
  readonly script: string;
  readonly cron: string;
  /** RFC 3339, UTC. */
  readonly createdOn: string;
  readonly modifiedOn: string;
}

/** The versions, deployments, addresses and crons of account Workers. Their live versions are in the tables of `Scripts`. */
export class AccountWorkers {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The Worker; `null` if it does not exist. */
  get(script: string): AccountWorker | null {
    const row = this.#sql
      .exec<{ tag: string; workers_dev: number; previews: number }>(
        "SELECT tag, workers_dev, previews FROM account_workers WHERE script = ?",
        script,
      )
      .toArray()[0];
    return row ? { tag: row.tag, workersDev: row.workers_dev === 1, previews: row.previews === 1 } : null;
  }

  /** Sets whether the Worker has an address. */
  setAddress(script: string, workersDev: boolean, previews: boolean): void {
    this.#sql.exec(
      "UPDATE account_workers SET workers_dev = ?, previews = ? WHERE script = ?",
      Number(workersDev),
      Number(previews),
      script,
    );
  }

  /** Records a version that became live. Call it inside a transaction. */
  deployed(script: string, version: ScriptVersion, message: string | null, now: Date): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO account_workers (script, tag) VALUES (?, ?)",
      script,
      crypto.randomUUID().replaceAll("-", ""),
    );
    this.#record(script, version.id);
    const latest = this.deployments(script)[0];
    if (latest?.version === version.id) return;
    this.#sql.exec(
      "INSERT INTO deployments (id, script, version, created_on, message) VALUES (?, ?, ?, ?, ?)",
      crypto.randomUUID(),
      script,
      version.id,
      now.toISOString(),
      message,
    );
    this.#sql.exec(
      `DELETE FROM deployments WHERE script = ?1 AND number <=
        (SELECT number FROM deployments WHERE script = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)`,
      script,
      KEPT_DEPLOYMENTS,
    );
    this.#removeOldVersions(script, version.id, now);
  }

  /** Stores a version that is not live. Call it inside a transaction. */
  upload(script: string, version: ScriptVersion, live: string, now: Date): void {
    this.#sql.exec(
      "INSERT INTO versions (id, namespace, script, document) VALUES (?, ?, ?, ?)",
      version.id,
      ACCOUNT_NAMESPACE,
      script,
      JSON.stringify(version),
    );
    this.#record(script, version.id);
    this.#removeOldVersions(script, live, now);
  }

  /** The versions that can be deployed, the newest first. */
  versions(script: string): UploadedVersion[] {
    return this.#sql
      .exec<{ number: number; document: string }>(
        `SELECT number, document FROM uploaded_versions JOIN versions USING (id)
         WHERE uploaded_versions.script = ? ORDER BY number DESC`,
        script,
      )
      .toArray()
      .map(({ number, document }) => ({ number, version: JSON.parse(document) as ScriptVersion }));
  }

  /** The deployments, the newest first. */
  deployments(script: string): WorkerDeployment[] {
    return this.#sql
      .exec<{ id: string; version: string; created_on: string; message: string | null }>(
        "SELECT id, version, created_on, message FROM deployments WHERE script = ? ORDER BY number DESC",
        script,
      )
      .toArray()
      .map(({ id, version, created_on, message }) => ({ id, version, createdOn: created_on, message }));
  }

  /** The crons of a Worker, or of all. */
  schedules(script: string | null): Schedule[] {
    return this.#sql
      .exec<{ script: string; cron: string; created_on: string; modified_on: string }>(
        "SELECT script, cron, created_on, modified_on FROM schedules WHERE ?1 IS NULL OR script = ?1 ORDER BY script, rowid",
        script,
      )
      .toArray()
      .map((row) => ({ script: row.script, cron: row.cron, createdOn: row.created_on, modifiedOn: row.modified_on }));
  }

  /** Replaces the crons of a Worker. Call it inside a transaction. */
  setSchedules(script: string, crons: readonly string[], now: Date): void {
    const before = new Map(this.schedules(script).map((schedule) => [schedule.cron, schedule.createdOn]));
    this.#sql.exec("DELETE FROM schedules WHERE script = ?", script);
    const at = now.toISOString();
    for (const cron of crons) {
      const insert = "INSERT INTO schedules (script, cron, created_on, modified_on) VALUES (?, ?, ?, ?)";
      this.#sql.exec(insert, script, cron, before.get(cron) ?? at, at);
    }
  }

  /** Records that the crons of a minute run, in minutes since 1970. False if those of this or of a later minute did. */
  claimMinute(minute: number): boolean {
    const claimed = this.#sql.exec(
      `INSERT INTO cron_clock (id, minute) VALUES (1, ?)
       ON CONFLICT DO UPDATE SET minute = excluded.minute WHERE minute < excluded.minute RETURNING 1 AS claimed`,
      minute,
    );
    return claimed.toArray().length > 0;
  }

  /** Removes everything of a Worker. Call it inside a transaction. */
  remove(script: string, now: Date): void {
    this.#leave("script = ?2 AND id IN (SELECT id FROM uploaded_versions WHERE script = ?2)", script, now);
    for (const table of ["account_workers", "uploaded_versions", "deployments", "schedules"]) {
      this.#sql.exec(`DELETE FROM ${table} WHERE script = ?`, script);
    }
  }

  #record(script: string, version: string): void {
    this.#sql.exec(
      `INSERT OR IGNORE INTO uploaded_versions (id, script, number)
       SELECT ?1, ?2, coalesce(max(number), 0) + 1 FROM uploaded_versions WHERE script = ?2`,
      version,
      script,
    );
  }

  /** Forgets the oldest versions, but not the live one. */
  #removeOldVersions(script: string, live: string, now: Date): void {
    const old = this.#sql
      .exec<{ id: string }>(
        "SELECT id FROM uploaded_versions WHERE script = ?1 AND id <> ?2 ORDER BY number DESC LIMIT -1 OFFSET ?3",
        script,
        live,
        KEPT_VERSIONS - 1,
      )
      .toArray();
    for (const { id } of old) {
      this.#sql.exec("DELETE FROM uploaded_versions WHERE id = ?", id);
      this.#leave("id = ?2", id, now);
    }
  }

  #leave(condition: string, value: string, now: Date): void {
    this.#sql.exec(`UPDATE versions SET left_at = ?1 WHERE left_at IS NULL AND ${condition}`, now.getTime(), value);
  }
}
