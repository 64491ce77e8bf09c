import type { ObjectHost } from "./durable-objects/object-host.ts";
import type { Store } from "./store/store.ts";

/** A dispatch namespace of the account, as the configuration names it. */
export interface ConfiguredNamespace {
  /** What people and wrangler call it: `dotdo-production`. */
  readonly name: string;
  /** Cloudflare's UUID of it. */
  readonly id: string;
}

/** The bindings of the local platform. */
export interface Environment {
  /** Everything that survives a restart: one object, see {@link store}. */
  readonly STORE: DurableObjectNamespace<Store>;
  /** One object for each Durable Object of a user Worker. */
  readonly OBJECTS: DurableObjectNamespace<ObjectHost>;
  /** Starts the isolates of user Workers. */
  readonly LOADER: WorkerLoader;
  /** The dispatcher, for requests that one user Worker makes of another. */
  readonly DISPATCHER: Fetcher;
  /** The only account that exists here. */
  readonly ACCOUNT_ID: string;
  /** The namespaces that exist here; there is no call that makes more. */
  readonly NAMESPACES: readonly ConfiguredNamespace[];
  /** The only token that the REST API accepts. */
  readonly LOCAL_API_TOKEN?: string;
}

/**
 * The methods of an object as a caller elsewhere sees them. The generated types would do the same, but they refuse every
 * value with a part of type `unknown`, such as a `json` binding.
 */
export type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer Arguments) => infer Result
    ? (...args: Arguments) => Promise<Awaited<Result>>
    : never;
};

/** The one object that holds every script. */
export function store(environment: Environment): Remote<Store> {
  return environment.STORE.getByName("store") as unknown as Remote<Store>;
}
