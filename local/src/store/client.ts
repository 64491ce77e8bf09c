import { hex } from "../encoding.ts";
import type { Environment } from "../environment.ts";
import { CHUNK_BYTES } from "./contents.ts";
import type { Store } from "./store.ts";

/**
 * The methods of an object as a caller in another isolate sees them. The generated types would do the same, but they refuse every value
 * with a member of type `unknown`, such as a `json` binding.
 */
type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer Arguments) => infer Result
    ? (...args: Arguments) => Promise<Awaited<Result>>
    : never;
};

/** The store as its callers see it. */
export type StoreClient = Remote<Store>;

/** The one object with all scripts. */
export function store(environment: Environment): StoreClient {
  return environment.STORE.getByName("store") as unknown as StoreClient;
}

/** Chunks in one call: together they stay under the 32 MiB of a message. */
const CHUNKS_PER_CALL = 8;

/** SHA-256 in hexadecimal. */
export async function digestOf(bytes: ArrayBuffer): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return hex(new Uint8Array(hash));
}

/** Sends those of the contents that the store does not have yet. The keys are their digests. */
export async function keepBytes(store: StoreClient, contents: ReadonlyMap<string, ArrayBuffer>): Promise<void> {
  for (const digest of await store.missingContents([...contents.keys()])) {
    const bytes = contents.get(digest);
    if (bytes) await send(store, digest, bytes);
  }
}

async function send(store: StoreClient, digest: string, bytes: ArrayBuffer): Promise<void> {
  const perCall = CHUNKS_PER_CALL * CHUNK_BYTES;
  let offset = 0;
  do {
    const end = Math.min(offset + perCall, bytes.byteLength);
    const chunks: ArrayBuffer[] = [];
    for (let start = offset; start < end; start += CHUNK_BYTES) {
      chunks.push(bytes.slice(start, Math.min(start + CHUNK_BYTES, end)));
    }
    const size = end === bytes.byteLength ? bytes.byteLength : null;
    await store.keepChunks(digest, offset / CHUNK_BYTES, chunks, size);
    offset = end;
  } while (offset < bytes.byteLength);
}

/** Reads bytes back, a piece at a time. Throws when the store does not have them. */
export async function* readBytes(store: StoreClient, digest: string): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; position += CHUNKS_PER_CALL) {
    const chunks = await store.chunks(digest, position, CHUNKS_PER_CALL);
    if (chunks === null) throw new Error(`the store has no content ${digest}`);
    for (const chunk of chunks) yield new Uint8Array(chunk);
    if (chunks.length < CHUNKS_PER_CALL) return;
  }
}

/** Reads bytes back whole. Throws when the store does not have them. */
export async function readAllBytes(store: StoreClient, digest: string): Promise<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readBytes(store, digest)) pieces.push(piece);
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.byteLength, 0));
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.byteLength;
  }
  return bytes.buffer;
}
