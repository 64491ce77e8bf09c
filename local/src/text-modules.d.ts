// The rule for these files in wrangler.jsonc makes each a string.

/** A Worker of Cloudflare's that runs in a separate isolate. */
declare module "*.worker.js" {
  const source: string;
  export default source;
}

/** A module of the platform that runs in the isolate of a user Worker, before its script. */
declare module "*.isolate.js" {
  const source: string;
  export default source;
}
