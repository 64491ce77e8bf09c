/** The bindings of `wrangler.jsonc` that this application uses. OpenNext declares its own. */
interface CloudflareEnv {
  readonly DATABASE: D1Database;
  readonly PLACE: string;
  /** Which build this is. */
  readonly VERSION: string;
}
