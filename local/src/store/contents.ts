/** Bytes in one row: well under the 2 MB that a row may hold. */
export const CHUNK_BYTES = 1024 * 1024;

/** How long bytes that nothing refers to stay, in milliseconds: longer than any deploy takes. */
const UNUSED_MS = 60 * 60 * 1000;

/** Where the bytes of modules and assets lie, once per digest. */
export class Contents {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Those of the digests whose bytes are not here yet. The others are kept from being removed as unused. */
  missing(digests: readonly string[], now: number): string[] {
    return digests.filter((digest) => {
      const renewed = this.#sql.exec(
        "UPDATE contents SET kept_at = ? WHERE digest = ? RETURNING 1 AS kept",
        now,
        digest,
      );
      return renewed.toArray().length === 0;
    });
  }

  /** Keeps one chunk. The bytes exist only once {@link complete} says so. */
  keepChunk(digest: string, position: number, bytes: ArrayBuffer): void {
    this.#sql.exec("INSERT OR REPLACE INTO chunks (digest, position, bytes) VALUES (?, ?, ?)", digest, position, bytes);
  }

  /** The last chunk was sent. Throws when the chunks together are not `size` bytes, so that bytes are never half there. */
  complete(digest: string, size: number, now: number): void {
    const { kept } = this.#sql
      .exec<{ kept: number }>("SELECT coalesce(sum(length(bytes)), 0) AS kept FROM chunks WHERE digest = ?", digest)
      .one();
    if (kept !== size) throw new Error(`${kept} of ${size} bytes of ${digest} are here: send them again`);
    this.#sql.exec("INSERT OR REPLACE INTO contents (digest, size, kept_at) VALUES (?, ?, ?)", digest, size, now);
  }

  /** Up to `count` chunks from `position` on; fewer when that was the last. `null` when the bytes are not here. */
  chunks(digest: string, position: number, count: number): ArrayBuffer[] | null {
    const known = this.#sql.exec("SELECT 1 FROM contents WHERE digest = ?", digest).toArray().length > 0;
    if (!known) return null;
    return this.#sql
      .exec<{ bytes: ArrayBuffer }>(
        "SELECT bytes FROM chunks WHERE digest = ? AND position >= ? ORDER BY position LIMIT ?",
        digest,
        position,
        count,
      )
      .toArray()
      .map((row) => row.bytes);
  }

  /** Removes what no version, asset or upload session refers to and what no deploy is about to. */
  removeUnused(now: number): void {
    this.#sql.exec(
      `DELETE FROM contents WHERE kept_at < ? AND digest NOT IN (
         SELECT json_extract(module.value, '$.digest') FROM versions, json_each(document, '$.modules') AS module
         UNION SELECT json_extract(document, '$.assets.manifest') FROM versions
           WHERE json_extract(document, '$.assets.manifest') IS NOT NULL
         UNION SELECT digest FROM assets
         UNION SELECT manifest FROM asset_sessions)`,
      now - UNUSED_MS,
    );
  }

  /** Removes chunks whose bytes were never completed or are no longer known. Only safe while no deploy is running. */
  removeLooseChunks(): void {
    this.#sql.exec("DELETE FROM chunks WHERE digest NOT IN (SELECT digest FROM contents)");
  }
}
