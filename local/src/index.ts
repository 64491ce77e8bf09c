import type { Environment } from "./environment.ts";
import { platform } from "./platform.ts";
import { answer } from "./rest/answer.ts";

export { AssetFiles } from "./assets/asset-files.ts";
export { Assets } from "./assets/assets-entrypoint.ts";
export { ObjectHost } from "./durable-objects/object-host.ts";
export { ObjectNamespace } from "./durable-objects/object-namespace.ts";
export { DispatchedFetch } from "./isolate/dispatched-fetch.ts";
export { UserCache } from "./isolate/user-cache.ts";
export { Namespace } from "./namespace-entrypoint.ts";
export { Script } from "./script-entrypoint.ts";
export { Store } from "./store/store.ts";
export { UserCode } from "./user-code-entrypoint.ts";

/** The REST API, and the start page. */
export default {
  fetch(request, environment, context) {
    return answer(platform(environment, context), request);
  },
} satisfies ExportedHandler<Environment>;
