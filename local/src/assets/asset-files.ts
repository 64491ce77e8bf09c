import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "../environment.ts";
import { platform } from "../platform.ts";
import type { ScriptAddress } from "../script.ts";
import { readBytes } from "../store/bytes.ts";

/** Whose files they are. */
export type AssetFilesProps = ScriptAddress;

/** What the asset Worker reads of a KV entry. */
interface AssetFile {
  readonly value: ReadableStream | null;
  readonly metadata: { readonly contentType?: string } | null;
}

/** The files of a script, in place of the KV namespace from which Cloudflare's asset Worker reads them. */
export class AssetFiles extends WorkerEntrypoint<Environment, AssetFilesProps> {
  async getWithMetadata(hash: string): Promise<AssetFile> {
    const { store } = platform(this.env, this.ctx);
    const asset = await store.asset(this.ctx.props, hash);
    if (asset === null) return { value: null, metadata: null };
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    this.ctx.waitUntil(pour(readBytes(store, asset.digest), writable));
    return { value: readable, metadata: asset.contentType === null ? {} : { contentType: asset.contentType } };
  }
}

/** Writes the pieces as fast as they are read; a reader that goes away ends it. */
async function pour(pieces: AsyncIterable<Uint8Array>, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  try {
    for await (const piece of pieces) await writer.write(piece);
    await writer.close();
  } catch (cause) {
    await writer.abort(cause).catch(() => undefined);
  }
}
