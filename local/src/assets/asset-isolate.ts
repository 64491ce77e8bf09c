// Not part of miniflare's interface, but of the very version that package-lock.json pins: Cloudflare's asset Worker.
import assetWorker from "../../../node_modules/miniflare/dist/src/workers/assets/assets.worker.js";
import { isolateName, type VersionProps } from "../isolate/version-props.ts";
import type { Platform } from "../platform.ts";
import { readAllBytes } from "../store/bytes.ts";
import { CLOUDFLARE_WORKER_DATE } from "./cloudflare-worker.ts";

/** The isolate that serves the static assets of a version: Cloudflare's own asset Worker over the files in the store. */
export function assetIsolate(platform: Platform, props: VersionProps): WorkerStub {
  const { namespace, script } = props;
  return platform.environment.LOADER.get(isolateName("assets", props), async () => {
    const version = await platform.store.version(props.version);
    if (!version?.assets) throw new Error("Worker not found.");
    const { manifest, configuration } = version.assets;
    return {
      compatibilityDate: CLOUDFLARE_WORKER_DATE,
      mainModule: "assets.js",
      modules: { "assets.js": { js: assetWorker } },
      env: {
        ASSETS_MANIFEST: await readAllBytes(platform.store, manifest),
        ASSETS_KV_NAMESPACE: platform.entrypoints.AssetFiles({ props: { namespace, script } }),
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
      },
      globalOutbound: null,
    };
  });
}
