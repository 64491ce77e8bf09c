import { fromHex, hex, utf8 } from "../../encoding.ts";
import { Refusal } from "../../refusal.ts";

/** A file as wrangler announces it. */
export interface ManifestFile {
  /** 32 hexadecimal digits that wrangler makes of the file's bytes and extension. */
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
}

/** The paths of an upload, `/index.html`, and their files. */
export type Manifest = Readonly<Record<string, ManifestFile>>;

/** Limits of the platform. */
const MAX_FILES = 100_000;
const MAX_FILE_BYTES = 25 * 1024 * 1024;

/** The layout that Cloudflare's asset Worker searches: a header, then entries sorted by the hash of their path. */
const HEADER_BYTES = 20;
const PATH_HASH_BYTES = 16;
const CONTENT_HASH_BYTES = 16;
const ENTRY_BYTES = PATH_HASH_BYTES + CONTENT_HASH_BYTES + 8;

/** Reads the manifest that opens an upload. */
export function readManifest(value: unknown): Manifest {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal("ASSETS_INVALID", "`manifest` must be an object that maps paths to `{hash, size}`.");
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_FILES) {
    throw new Refusal("ASSETS_INVALID", `There are ${entries.length} assets; the platform allows ${MAX_FILES}.`);
  }
  return Object.fromEntries(entries.map(([path, file]) => [path, readFile(path, file)]));
}

function readFile(path: string, value: unknown): ManifestFile {
  if (!path.startsWith("/"))
    throw new Refusal("ASSETS_INVALID", `The asset path ${JSON.stringify(path)} must begin with a slash.`);
  const { hash, size } = (value ?? {}) as Record<string, unknown>;
  if (typeof hash !== "string" || !/^[0-9a-f]{32}$/.test(hash)) {
    throw new Refusal("ASSETS_INVALID", `The hash of ${path} must be 32 hexadecimal digits in lower case.`);
  }
  if (typeof size !== "number" || !Number.isInteger(size) || size < 0 || size > MAX_FILE_BYTES) {
    throw new Refusal(
      "ASSETS_INVALID",
      `The size of ${path} must be a number of bytes up to ${MAX_FILE_BYTES} (25 MiB), and it is ${String(size)}.`,
    );
  }
  return { hash, size };
}

/** The manifest in the form that Cloudflare's asset Worker reads. */
export async function encodeManifest(manifest: Manifest): Promise<ArrayBuffer> {
  const entries = await Promise.all(
    Object.entries(manifest).map(async ([path, { hash }]) => {
      const pathHash = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(path)), 0, PATH_HASH_BYTES);
      return { pathHash, key: hex(pathHash), contentHash: fromHex(hash) };
    }),
  );
  entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const encoded = new Uint8Array(HEADER_BYTES + entries.length * ENTRY_BYTES);
  for (const [index, { pathHash, contentHash }] of entries.entries()) {
    const offset = HEADER_BYTES + index * ENTRY_BYTES;
    encoded.set(pathHash, offset);
    encoded.set(contentHash, offset + PATH_HASH_BYTES);
  }
  return encoded.buffer;
}

/** The most files and bytes that a client sends in one call. */
const BUCKET_FILES = 40;
const BUCKET_BYTES = 20 * 1024 * 1024;

/** Groups the hashes of files that must be sent, each group for one call. A file larger than a group's bytes stands alone. */
export function buckets(manifest: Manifest, missing: readonly string[]): string[][] {
  const sizes = new Map(Object.values(manifest).map(({ hash, size }) => [hash, size]));
  const groups: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const hash of missing) {
    const size = sizes.get(hash) ?? 0;
    const group = groups.at(-1);
    if (group === undefined || group.length >= BUCKET_FILES || bytes + size > BUCKET_BYTES) {
      groups.push([hash]);
      bytes = size;
    } else {
      group.push(hash);
      bytes += size;
    }
  }
  return groups;
}
