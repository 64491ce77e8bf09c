import type { Environment } from "./environment.ts";
import { restApi } from "./rest/app.ts";

export { WorkersDev } from "./account-workers.ts";
export { AccountService } from "./bindings/service/account-service.ts";
export { DispatcherService } from "./bindings/service/dispatcher-service.ts";
export { AssetFiles, Assets } from "./bindings/assets/workers.ts";
export { ObjectHost } from "./bindings/durable-objects/host.ts";
export { BucketHost } from "./bindings/r2/host.ts";
export { ObjectAlarms, ObjectNamespace } from "./bindings/durable-objects/namespace.ts";
export { StorageObject } from "./bindings/storage-object.ts";
export { SendEmail } from "./bindings/email/sender.ts";
export { QueueBroker } from "./bindings/queues/broker.ts";
export { QueueDirectory } from "./bindings/queues/directory.ts";
export { QueueProducer, QueueSerializer } from "./bindings/queues/producer.ts";
export { RateCounter, RateLimit } from "./bindings/rate-limit/limiter.ts";
export { Received, Receiver } from "./bindings/received.ts";
export { SecretStores, StoreSecret } from "./bindings/secrets-store/stores.ts";
export { Namespace, Script, UserCode } from "./dispatch.ts";
export { UserCache } from "./isolate/cache.ts";
export { Outbound } from "./isolate/outbound.ts";
export { CronClock } from "./scheduled.ts";
export { Store } from "./store/store.ts";
export { Tail } from "./tails.ts";

/** The REST API, and the start page. */
export default restApi() satisfies ExportedHandler<Environment>;
