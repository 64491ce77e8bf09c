import { promisify } from "node:util";

import { type Entry, fromBuffer, type Options, type ZipFile } from "yauzl";

import { ActionFailure } from "../../step/failure.ts";

/** The most files of an archive. */
const MAX_FILES = 200;

/** The largest size of all files together, in bytes. */
const MAX_SIZE = 32 * 1024 * 1024;

/** The names of modules: the types that wrangler uploads without a configuration, in folders without special characters. */
const MODULE = /^(?:[A-Za-z0-9_][\w.@+-]*\/)*[A-Za-z0-9_][\w.@+-]*\.(?:js|mjs|cjs|wasm|txt|html|sql|bin)$/;

/** The longest path, in characters. */
const LONGEST_PATH = 200;

/** The type of a file in its Unix mode, and that of a regular file; 0 means that the archive has no mode. */
const TYPE = 0o170000;
const REGULAR = [0, 0o100000];

/**
 * Reads the modules in a ZIP archive of an unknown author.
 *
 * Throws an {@link ActionFailure} if it is not valid, is too large, or has anything but modules: links, paths outside of its folder, or other files.
 */
export async function readArchive(archive: Buffer): Promise<Map<string, Buffer>> {
  const open = promisify<Buffer, Options, ZipFile>(fromBuffer);
  try {
    const zip = await open(archive, { lazyEntries: true, strictFileNames: true, validateEntrySizes: true });
    return await filesOf(zip);
  } catch (error) {
    if (error instanceof ActionFailure) throw error;
    throw refused(error instanceof Error ? error.message : String(error));
  }
}

async function filesOf(zip: ZipFile): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const names = new Set<string>();
  let size = 0;
  for await (const entry of entriesOf(zip)) {
    const path = entry.fileName;
    if (path.endsWith("/")) continue;
    const type = (entry.externalFileAttributes >>> 16) & TYPE;
    if (!REGULAR.includes(type)) throw refused(`${quoted(path)} is a link or another special file`);
    if (path.length > LONGEST_PATH || !MODULE.test(path)) throw refused(`${quoted(path)} is not a module`);
    // Some file systems do not distinguish the case.
    if (names.has(path.toLowerCase())) throw refused(`${quoted(path)} is there twice`);
    names.add(path.toLowerCase());
    size += entry.uncompressedSize;
    if (names.size > MAX_FILES) throw refused(`it has more than ${MAX_FILES} files`);
    if (size > MAX_SIZE) throw refused(`its files have more than ${MAX_SIZE} bytes`);
    files.set(path, await contentOf(zip, entry));
  }
  for (const path of files.keys()) {
    const folder = foldersOf(path).find((one) => names.has(one.toLowerCase()));
    if (folder !== undefined) throw refused(`${quoted(folder)} is a file and a folder`);
  }
  return files;
}

/** The folders of a path: `a` and `a/b` of `a/b/c.js`. */
function foldersOf(path: string): string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index));
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      zip.once("entry", resolve).once("end", () => resolve(undefined)).once("error", reject);
      zip.readEntry();
    });
    zip.removeAllListeners();
    if (entry === undefined) return;
    yield entry;
  }
}

/** The library ends the stream with an error if the content is longer than the entry says. */
async function contentOf(zip: ZipFile, entry: Entry): Promise<Buffer> {
  const stream = await promisify<Entry, NodeJS.ReadableStream>((one, done) => zip.openReadStream(one, done))(entry);
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

function quoted(path: string): string {
  return JSON.stringify(path.slice(0, LONGEST_PATH));
}

function refused(reason: string): ActionFailure {
  return new ActionFailure("The artifact is refused", [
    `The archive is not one of modules: ${reason}.`,
    "fork-build.yml makes an archive with the files of `wrangler deploy --dry-run --outdir`.",
  ]);
}
