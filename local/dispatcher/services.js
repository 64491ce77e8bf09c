// Added to the dispatch Worker on the local platform only: `xtask/src/platform/configuration.rs` exports it beside the entry of the build.
// Of the Workers here, only the Worker `local` has a binding to this entrypoint.
import { WorkerEntrypoint } from "cloudflare:workers";

/** Makes the targets of service bindings, because the props of a service binding cannot be set from another Worker here. */
export class LocalServices extends WorkerEntrypoint {
  /** A stub of `NamespaceService` in `src/dispatch/namespace_service.js` with these props. */
  namespaceService(props) {
    return this.ctx.exports.NamespaceService({ props });
  }
}
