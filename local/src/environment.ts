/** The entrypoint `LocalServices` of the dispatch Worker: `local/dispatcher/services.js`. */
interface LocalServices {
  /** A stub of `NamespaceService` with these props. */
  namespaceService(props: Readonly<Record<string, unknown>>): Promise<Fetcher>;
}

/** The logs Worker: `logs/src/index.ts`. */
interface LogsService {
  /** Stores traces in the form that a `tail` handler gets. */
  recordTraces(traces: readonly Record<string, unknown>[]): Promise<void>;
}

/** A dispatch namespace of the account, as the configuration names it. */
export interface ConfiguredNamespace {
  /** The name that people and wrangler use: `dotdo-production`. */
  readonly name: string;
  /** Cloudflare's UUID of it. */
  readonly id: string;
}

/** The bindings of the local platform. */
export interface Environment {
  /** All state of deploys, in one object: `store/store.ts`. */
  readonly STORE: DurableObjectNamespace;
  /** One object for each Durable Object of a user Worker: `bindings/durable-objects/host.ts`. */
  readonly OBJECTS: DurableObjectNamespace;
  /** The objects of miniflare that store the data of KV namespaces, by `storage-plugin.mjs`. */
  readonly KV_OBJECTS: DurableObjectNamespace;
  /** The same for R2 buckets. */
  readonly R2_OBJECTS: DurableObjectNamespace;
  /** The same for D1 databases. */
  readonly D1_OBJECTS: DurableObjectNamespace;
  /** What bindings received that only store it, in one object: `bindings/received.ts`. */
  readonly RECEIVED: DurableObjectNamespace;
  /** The counts of rate limits, by namespace id: `bindings/rate-limit/limiter.ts`. */
  readonly RATE_LIMITS: DurableObjectNamespace;
  /** The Secrets Stores, in one object: `bindings/secrets-store/stores.ts`. */
  readonly SECRET_STORES: DurableObjectNamespace;
  /** The queues and their configuration, in one object: `bindings/queues/directory.ts`. */
  readonly QUEUE_DIRECTORY: DurableObjectNamespace;
  /** The messages of each queue, by its id: `bindings/queues/broker.ts`. */
  readonly QUEUE_BROKERS: DurableObjectNamespace;
  /** A queue of the runtime, whose messages `QueueSerializer` in `bindings/queues/producer.ts` gets: by `storage-plugin.mjs`. */
  readonly QUEUE_SERIALIZER: Queue;
  /** A binding to an empty D1 database. The D1 bindings of user Workers are instances of its class. */
  readonly D1: D1Database;
  /** Starts the isolates of user Workers. */
  readonly LOADER: WorkerLoader;
  /** The dispatch Worker, for requests that one user Worker sends to another. */
  readonly DISPATCHER: Fetcher;
  /** The dispatch Worker's factory of service bindings inside a namespace: `local/dispatcher/services.js`. */
  readonly DISPATCHER_SERVICES: LocalServices;
  /** The logs Worker, as the tail consumer of the Workers in namespaces. */
  readonly LOGS: LogsService;
  /** The only account. */
  readonly ACCOUNT_ID: string;
  /** All namespaces; no call creates more. */
  readonly NAMESPACES: readonly ConfiguredNamespace[];
  /** The path of the file with the address and the token for clients. */
  readonly ENV_FILE?: string;
  /** The only token that the REST API accepts. */
  readonly LOCAL_API_TOKEN?: string;
  /** The address of the supervisor, which records invocations outside of the runtime: `invocations.ts`. */
  readonly SUPERVISOR_URL?: string;
  /** The secret of reports to the supervisor. */
  readonly SUPERVISOR_SECRET?: string;
}
