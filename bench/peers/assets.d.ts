// What esbuild provides when `npm run bench` bundles a peer.

/** The address of `docs/errors.md`. */
declare const ERRORS_PAGE: string;

declare module "*.css" {
  const text: string;
  export default text;
}
