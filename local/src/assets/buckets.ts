import type { Manifest } from "./manifest.ts";

/** The most files and bytes that a client sends in one call. */
const MAX_FILES = 40;
const MAX_BYTES = 20 * 1024 * 1024;

/** Groups the hashes of files that must be sent, each group for one call. A file larger than a group's bytes stands alone. */
export function buckets(manifest: Manifest, missing: readonly string[]): string[][] {
  const sizes = new Map(Object.values(manifest).map(({ hash, size }) => [hash, size]));
  const groups: string[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const hash of missing) {
    const size = sizes.get(hash) ?? 0;
    const group = groups.at(-1);
    if (group === undefined || group.length >= MAX_FILES || bytes + size > MAX_BYTES) {
      groups.push([hash]);
      bytes = size;
    } else {
      group.push(hash);
      bytes += size;
    }
  }
  return groups;
}
