// A plugin of miniflare, which `wrangler dev` loads for a Worker with a bucket that no other program may read (`unsafe.bindings` in its
// configuration). The binding is the same as one of `r2_buckets`, with the same stored data. For those, however, miniflare serves
// every object without a credential at `/cdn-cgi/local/r2/public/{bucket}/{key}` on the ports of the runtime.

import miniflare from "miniflare";

const { R2_PLUGIN } = miniflare;

/** The type of the bindings, as miniflare names those of plugins. */
const TYPE = "unsafe:private-bucket";

/** The options of a Worker as miniflare's own R2 plugin reads them, with the private buckets only. */
function privateBuckets({ config, dev }) {
  const buckets = Object.entries(config.env ?? {})
    .filter(([, { type }]) => type === TYPE)
    .map(([binding, { dev: { options } }]) => [binding, { type: "r2", name: options.bucket_name }]);
  return { config: { env: Object.fromEntries(buckets) }, dev };
}

/** The plugins of this package by their names. */
export const plugins = {
  "private-bucket": {
    bindingTypeDescription: "R2 Bucket",
    getBindings: (options, ...more) => R2_PLUGIN.getBindings(privateBuckets(options), ...more),
    getNodeBindings: (options, ...more) => R2_PLUGIN.getNodeBindings(privateBuckets(options), ...more),
    getServices: ({ options, ...more }) => R2_PLUGIN.getServices({ ...more, options: privateBuckets(options) }),
  },
};
