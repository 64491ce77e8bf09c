// The rule for these files in wrangler.jsonc makes each a string.
declare module "*.worker.js" {
  const source: string;
  export default source;
}
