import { defineCloudflareConfig } from "@opennextjs/cloudflare";
import kvIncrementalCache from "@opennextjs/cloudflare/overrides/incremental-cache/kv-incremental-cache";
import doQueue from "@opennextjs/cloudflare/overrides/queue/do-queue";
import d1NextTagCache from "@opennextjs/cloudflare/overrides/tag-cache/d1-next-tag-cache";

export default {
  ...defineCloudflareConfig({ incrementalCache: kvIncrementalCache, queue: doQueue, tagCache: d1NextTagCache }),
  // `npm run build` is this build itself.
  buildCommand: "next build",
};
