/** Bytes in one row: well under the 2 MB that a row may hold. */
export const CHUNK_BYTES = 1024 * 1024;

/** How long unused bytes are kept, in milliseconds: longer than a deploy takes. */
const UNUSED_MS = 60 * 60 * 1000;

/** A part of stored bytes. */
export interface Chunk {
  readonly digest: string;
  /** 0 for the first. */
  readonly position: number;
  readonly bytes: ArrayBuffer;
  /** The number of all bytes if this is the last chunk, otherwise `null`. */
  readonly size: number | null;
}

/** The bytes of modules and assets, once for each digest. */
export class Contents {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The digests without stored bytes. The bytes of the others are not removed as unused for a while. */
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

  /** Stores a chunk. The last one completes the bytes, which exist only then. Throws if chunks before it are missing. */
  keepChunk({ digest, position, bytes, size }: Chunk, now: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO chunks (digest, position, bytes) VALUES (?, ?, ?)", digest, position, bytes);
    if (size !== null) this.#complete(digest, size, now);
  }

  /** Up to `count` chunks from `position` on; fewer at the end. `null` if the bytes are not stored. */
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

  /** Removes bytes that no version, asset or upload session refers to, and that no running deploy needs. */
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

  /** Removes chunks of bytes that were not completed or were removed. No deploy may run at the same time. */
  removeLooseChunks(): void {
    this.#sql.exec("DELETE FROM chunks WHERE digest NOT IN (SELECT digest FROM contents)");
  }

  #complete(digest: string, size: number, now: number): void {
    const { kept } = this.#sql
      .exec<{ kept: number }>("SELECT coalesce(sum(length(bytes)), 0) AS kept FROM chunks WHERE digest = ?", digest)
      .one();
    if (kept !== size) throw new Error(`${kept} of ${size} bytes of ${digest} are here: send them again`);
    this.#sql.exec("INSERT OR REPLACE INTO contents (digest, size, kept_at) VALUES (?, ?, ?)", digest, size, now);
  }
}
