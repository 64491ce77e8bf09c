// Not part of miniflare's interface, but of the very version that package-lock.json pins: Cloudflare's router Worker.
import routerWorker from "../../../node_modules/miniflare/dist/src/workers/assets/router.worker.js";
import { isolateName, type VersionProps } from "../isolate/version-props.ts";
import type { Platform } from "../platform.ts";
import { CLOUDFLARE_WORKER_DATE } from "./cloudflare-worker.ts";

/** The isolate that decides between a version's static assets and its script: Cloudflare's own router Worker. */
export function assetRouter(platform: Platform, props: VersionProps): WorkerStub {
  return platform.environment.LOADER.get(isolateName("router", props), async () => {
    const version = await platform.store.version(props.version);
    if (!version?.assets) throw new Error("Worker not found.");
    const { configuration } = version.assets;
    return {
      compatibilityDate: CLOUDFLARE_WORKER_DATE,
      mainModule: "router.js",
      modules: { "router.js": { js: routerWorker } },
      env: {
        ASSET_WORKER: platform.entrypoints.Assets({ props }),
        ...(version.main === null ? {} : { USER_WORKER: platform.entrypoints.UserCode({ props }) }),
        CONFIG: {
          has_user_worker: version.main !== null,
          invoke_user_worker_ahead_of_assets: configuration.scriptFirst,
          ...(configuration.staticRouting === undefined ? {} : { static_routing: configuration.staticRouting }),
        },
      },
      globalOutbound: null,
    };
  });
}
