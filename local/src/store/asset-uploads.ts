import type { ScriptAddress } from "../script.ts";

/** A file that was uploaded for a script. */
export interface UploadedAsset {
  /** What wrangler made of the file's bytes and extension: 32 hexadecimal digits. */
  readonly hash: string;
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly digest: string;
  /** What to send as `Content-Type`; `null` for none. */
  readonly contentType: string | null;
}

/** An upload of assets that was begun. */
export interface AssetSession extends ScriptAddress {
  readonly id: string;
  /** Digest of the manifest that the session began with, as JSON. */
  readonly manifest: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Hashes in one query: their list stays under the 2 MB of a value. */
const HASHES_PER_QUERY = 10_000;

/** The files of scripts, and the uploads that bring more of them. */
export class AssetUploads {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Opens a session; those that have expired are forgotten. */
  open(session: AssetSession, now: number): void {
    this.#sql.exec("DELETE FROM asset_sessions WHERE expires_at < ?", now);
    this.#sql.exec(
      "INSERT INTO asset_sessions (id, namespace, script, manifest, expires_at) VALUES (?, ?, ?, ?, ?)",
      session.id,
      session.namespace,
      session.script,
      session.manifest,
      session.expiresAt,
    );
  }

  /** The session of that id, unless it has expired. */
  session(id: string, now: number): AssetSession | null {
    const row = this.#sql
      .exec<{ namespace: string; script: string; manifest: string; expires_at: number }>(
        "SELECT namespace, script, manifest, expires_at FROM asset_sessions WHERE id = ? AND expires_at >= ?",
        id,
        now,
      )
      .toArray()[0];
    if (!row) return null;
    return { id, namespace: row.namespace, script: row.script, manifest: row.manifest, expiresAt: row.expires_at };
  }

  /** Keeps a file of a script. What is there already stays: a live version may be serving it. */
  keep({ namespace, script }: ScriptAddress, { hash, digest, contentType }: UploadedAsset): void {
    this.#sql.exec(
      "INSERT OR IGNORE INTO assets (namespace, script, hash, digest, content_type) VALUES (?, ?, ?, ?, ?)",
      namespace,
      script,
      hash,
      digest,
      contentType,
    );
  }

  /** The file of that hash, if the script has it. */
  find({ namespace, script }: ScriptAddress, hash: string): UploadedAsset | null {
    const row = this.#sql
      .exec<{ digest: string; content_type: string | null }>(
        "SELECT digest, content_type FROM assets WHERE namespace = ? AND script = ? AND hash = ?",
        namespace,
        script,
        hash,
      )
      .toArray()[0];
    return row ? { hash, digest: row.digest, contentType: row.content_type } : null;
  }

  /** Those of the hashes that the script has no file for yet. */
  missing({ namespace, script }: ScriptAddress, hashes: readonly string[]): string[] {
    const missing: string[] = [];
    for (let start = 0; start < hashes.length; start += HASHES_PER_QUERY) {
      const rows = this.#sql.exec<{ hash: string }>(
        `SELECT value AS hash FROM json_each(?)
         WHERE NOT EXISTS (SELECT 1 FROM assets WHERE namespace = ? AND script = ? AND hash = value)`,
        JSON.stringify(hashes.slice(start, start + HASHES_PER_QUERY)),
        namespace,
        script,
      );
      for (const { hash } of rows.toArray()) missing.push(hash);
    }
    return missing;
  }
}
