import { Refusal } from "../refusal.ts";
import type { UploadedModule } from "./module.ts";

/** The platform's limit for a script after compression, and before it. */
const MAX_COMPRESSED_BYTES = 10 * 1024 * 1024;
const MAX_BYTES = 64 * 1024 * 1024;

/** Refuses modules that are too large together; source maps do not count. */
export async function checkSize(modules: readonly UploadedModule[]): Promise<void> {
  const counted = modules.filter(({ contentType }) => contentType !== "application/source-map");
  const size = counted.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
  if (size > MAX_BYTES) throw tooLarge(size, MAX_BYTES, "");
  if (size <= MAX_COMPRESSED_BYTES) return;
  const compressed = await compressedSize(new Blob(counted.map(({ bytes }) => bytes)));
  if (compressed > MAX_COMPRESSED_BYTES) throw tooLarge(compressed, MAX_COMPRESSED_BYTES, " after compression");
}

async function compressedSize(blob: Blob): Promise<number> {
  let size = 0;
  for await (const chunk of blob.stream().pipeThrough(new CompressionStream("gzip"))) {
    size += (chunk as Uint8Array).byteLength;
  }
  return size;
}

function tooLarge(size: number, limit: number, after: string): Refusal {
  return new Refusal(
    "SCRIPT_TOO_LARGE",
    `The script has ${size} bytes${after}; the platform allows ${limit}. Leave out what it does not need, or move files to static assets.`,
  );
}
