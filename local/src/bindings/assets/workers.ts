// Not part of miniflare's interface, but of the very version that package-lock.json pins: Cloudflare's asset Worker.
import assetWorker from "../../../../node_modules/miniflare/dist/src/workers/assets/assets.worker.js";
// Not part of miniflare's interface, but of the very version that package-lock.json pins: Cloudflare's router Worker.
import routerWorker from "../../../../node_modules/miniflare/dist/src/workers/assets/router.worker.js";
import type { Environment } from "../../environment.ts";
import { pooledIsolate } from "../../isolate/isolate-pool.ts";
import { platformCode } from "../../isolate/worker-code.ts";
import { type Platform, platform } from "../../platform.ts";
import type { ScriptAddress, VersionAddress } from "../../script.ts";
import { readAllBytes, readBytes } from "../../store/client.ts";
import { WorkerEntrypoint } from "cloudflare:workers";

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

/** The isolate that serves the static assets of a version: Cloudflare's own asset Worker over the files in the store. */
export function assetIsolate(platform: Platform, props: VersionAddress): WorkerStub {
  const { namespace, script } = props;
  return pooledIsolate(platform, "assets", props, async () => {
    const version = await platform.store.version(props.version);
    if (!version?.assets) throw new Error("Worker not found.");
    const { manifest, configuration } = version.assets;
    const code = platformCode(assetWorker, CLOUDFLARE_WORKER_DATE, {
      ASSETS_MANIFEST: await readAllBytes(platform.store, manifest),
      ASSETS_KV_NAMESPACE: platform.entrypoint("AssetFiles", { namespace, script }),
      CONFIG: {
        html_handling: configuration.htmlHandling,
        not_found_handling: configuration.notFoundHandling,
        base_path: configuration.basePath,
        has_static_routing: configuration.staticRouting !== undefined,
        redirects: configuration.redirects,
        headers: configuration.headers,
        compatibility_date: version.compatibilityDate,
        compatibility_flags: [...version.compatibilityFlags],
      },
    });
    return { code, moduleBytes: assetWorker.length };
  });
}

/** The isolate that decides between a version's static assets and its script: Cloudflare's own router Worker. */
export function assetRouter(platform: Platform, props: VersionAddress): WorkerStub {
  return pooledIsolate(platform, "router", props, async () => {
    const version = await platform.store.version(props.version);
    if (!version?.assets) throw new Error("Worker not found.");
    const { configuration } = version.assets;
    const code = platformCode(routerWorker, CLOUDFLARE_WORKER_DATE, {
      ASSET_WORKER: platform.entrypoint("Assets", props),
      ...(version.main === null ? {} : { USER_WORKER: platform.entrypoint("UserCode", props) }),
      CONFIG: {
        has_user_worker: version.main !== null,
        invoke_user_worker_ahead_of_assets: configuration.scriptFirst,
        ...(configuration.staticRouting === undefined ? {} : { static_routing: configuration.staticRouting }),
      },
    });
    return { code, moduleBytes: routerWorker.length };
  });
}

/** What the router asks the asset Worker besides requests. */
interface AssetWorker {
  unstable_canFetch(request: Request): Promise<boolean>;
}

/** The static assets of one version: the `ASSETS` binding of its script, and what its router asks. */
export class Assets extends WorkerEntrypoint<Environment, VersionAddress> {
  override async fetch(request: Request): Promise<Response> {
    return await this.#worker().fetch(request);
  }

  /** Whether there is an answer to the request among the assets. The name is that of Cloudflare's asset Worker. */
  async unstable_canFetch(request: Request): Promise<boolean> {
    return await (this.#worker() as unknown as AssetWorker).unstable_canFetch(request);
  }

  #worker(): Fetcher {
    return assetIsolate(platform(this.env, this.ctx), this.ctx.props).getEntrypoint();
  }
}

/** The compatibility date of Cloudflare's asset and router Workers, as their own configuration has it. */
export const CLOUDFLARE_WORKER_DATE = "2024-07-31";
