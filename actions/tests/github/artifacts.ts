/** Artifacts of runs, as `actions/upload-artifact` makes them. */

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";

import type { Stored } from "./stand-in.ts";

/** A file of a ZIP archive. The members that are not given are those of an ordinary file. */
export interface ArchivedFile {
  path: string;
  content: string | Buffer;
  /** The Unix mode. */
  mode?: number;
  /** The size that the archive states. */
  size?: number;
  isCompressed?: boolean;
}

/** A ZIP archive: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT */
export function zip(files: readonly ArchivedFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { path, content, mode = 0o100644, size, isCompressed = false } of files) {
    const name = Buffer.from(path);
    const original = Buffer.from(content);
    const bytes = isCompressed ? deflateRawSync(original) : original;
    // The version, UTF-8 names, the method, and no time.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt16LE(isCompressed ? 8 : 0, 4);
    common.writeUInt32LE(crc32(original), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(size ?? original.length, 18);
    common.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, name, bytes]);
    const entry = Buffer.alloc(14);
    entry.writeUInt32LE((mode << 16) >>> 0, 6);
    entry.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x03"), common, entry, name]));
    parts.push(local);
    offset += local.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(entries.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, entries, end]);
}

/** Stores the artifact of a finished run for the head of a pull request. */
export function addArtifact(stored: Stored, folder: string, inputs: Record<string, unknown>, event: Record<string, unknown>): void {
  const { head } = event["pull_request"] as { head: { sha: string; repo: { id: number } } };
  const root = join(folder, String(inputs["path"]));
  const entries = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = entries.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    return { path: relative(root, path), content: readFileSync(path) };
  });
  storeArtifact(stored, String(inputs["name"]), zip(files), head.sha, head.repo.id);
}

/** Stores an archive as the artifact of a successful run. */
export function storeArtifact(stored: Stored, name: string, archive: Buffer, sha: string, repository: number): void {
  const run = stored.next++;
  stored.runs.push({
    id: run,
    head_sha: sha,
    event: "pull_request",
    status: "success",
    path: ".github/workflows/fork-build.yml",
    head_repository: { id: repository },
  });
  const artifact = { id: stored.next++, run, name, expired: false, size_in_bytes: archive.length, archive: archive.toString("base64") };
  stored.artifacts.push(artifact);
}
