import { hex } from "../encoding.ts";
import type { Environment } from "../environment.ts";
import { CHUNK_BYTES, type Chunk } from "./contents.ts";
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

/** Chunks that are read in one call: together they stay under the 32 MiB of a message. */
const CHUNKS_PER_CALL = 8;

/** Bytes and chunks that are sent in one call. Each call waits for the disk, so small contents share one. */
const BYTES_PER_CALL = CHUNKS_PER_CALL * CHUNK_BYTES;
const SMALL_CHUNKS_PER_CALL = 500;

/** SHA-256 in hexadecimal. */
export async function digestOf(bytes: ArrayBuffer): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return hex(new Uint8Array(hash));
}

/** Sends those of the contents that the store does not have yet. The keys are their digests. */
export async function keepBytes(store: StoreClient, contents: ReadonlyMap<string, ArrayBuffer>): Promise<void> {
  let call: Chunk[] = [];
  let size = 0;
  for (const digest of await store.missingContents([...contents.keys()])) {
    for (const chunk of chunksOf(digest, contents.get(digest) ?? new ArrayBuffer())) {
      if (size + chunk.bytes.byteLength > BYTES_PER_CALL || call.length === SMALL_CHUNKS_PER_CALL) {
        await store.keepChunks(call);
        call = [];
        size = 0;
      }
      call.push(chunk);
      size += chunk.bytes.byteLength;
    }
  }
  if (call.length > 0) await store.keepChunks(call);
}

/** The chunks of bytes. Empty bytes have one. */
function* chunksOf(digest: string, bytes: ArrayBuffer): Generator<Chunk> {
  const count = Math.max(1, Math.ceil(bytes.byteLength / CHUNK_BYTES));
  for (let position = 0; position < count; position += 1) {
    const start = position * CHUNK_BYTES;
    const size = position === count - 1 ? bytes.byteLength : null;
    yield { digest, position, bytes: bytes.slice(start, start + CHUNK_BYTES), size };
  }
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
