// A plugin of miniflare, which `wrangler dev` loads for the Worker `local` (`unsafe.bindings`). It binds that Worker to the Durable Objects
// in which miniflare stores the data of KV namespaces, R2 buckets and D1 databases. A usual binding reaches one namespace, bucket or
// database that the configuration names; these reach every one by its id.
//
// The names of the services are not an interface of miniflare: they belong to the pinned version. The services exist because the Worker
// has one binding of each kind.

const OBJECTS = [
  { name: "KV_OBJECTS", serviceName: "kv:ns", className: "KVNamespaceObject" },
  { name: "R2_OBJECTS", serviceName: "r2:bucket", className: "R2BucketObject" },
  { name: "D1_OBJECTS", serviceName: "d1:db", className: "D1DatabaseObject" },
];

/**
 * A queue whose messages an entrypoint of the Worker gets, and no consumer. It makes bytes of values in the format of the runtime:
 * `bindings/queues/producer.ts`.
 */
const SERIALIZER = { name: "QUEUE_SERIALIZER", queue: { name: "core:user:local", entrypoint: "QueueSerializer" } };

/** The plugins of this package by their names. */
export const plugins = {
  "storage-objects": {
    bindingTypeDescription: "Storage objects",
    getBindings: async () => [
      ...OBJECTS.map(({ name, serviceName, className }) => ({ name, durableObjectNamespace: { serviceName, className } })),
      SERIALIZER,
    ],
    getNodeBindings: async () => ({}),
    getServices: async () => [],
  },
};
