import type { Environment } from "./environment.ts";
import { store, type StoreClient } from "./store/client.ts";

/** What every part of the platform works with, for one request. */
export interface Platform {
  readonly environment: Environment;
  readonly store: StoreClient;
  /**
   * A stub of an entrypoint of this Worker, which an isolate can hold. `name` is that of an export of `index.ts`; the isolate can
   * neither read nor change `props`.
   */
  entrypoint(name: string, props: object): Fetcher;
  /** Lets work continue after the response. */
  waitUntil(work: Promise<unknown>): void;
}

/** The platform, from what the runtime passes to a handler. */
export function platform(
  environment: Environment,
  context: { readonly exports: unknown; waitUntil(work: Promise<unknown>): void },
): Platform {
  return {
    environment,
    store: store(environment),
    entrypoint(name, props) {
      // The generated types of `exports` would make this module depend on the main module.
      const factories = context.exports as Readonly<Record<string, (options: { props: object }) => Fetcher>>;
      const factory = factories[name];
      if (factory === undefined) throw new Error(`index.ts does not export the entrypoint ${name}`);
      return factory({ props });
    },
    waitUntil(work) {
      context.waitUntil(work);
    },
  };
}
