import type { Environment } from "../../environment.ts";
import { type ObjectHost, addressed } from "./host.ts";
import type { VersionAddress } from "../../script.ts";
import { WorkerEntrypoint } from "cloudflare:workers";

/** The header with the id of the object that a request is for. `namespace.isolate.js` sets it. */
const OBJECT_ID_HEADER = "x-local-platform-object";

/** A Durable Object class of a version. */
export interface ObjectNamespaceProps extends VersionAddress {
  readonly className: string;
  /** The UUID under which the class keeps its objects, which outlives a rename of the class. */
  readonly storage: string;
}

/** The far end of a Durable Object binding: finds the object's host, and passes requests and calls on. */
export class ObjectNamespace extends WorkerEntrypoint<Environment, ObjectNamespaceProps> {
  override async fetch(request: Request): Promise<Response> {
    const id = request.headers.get(OBJECT_ID_HEADER) ?? "";
    const passed = addressed(request, { id, props: this.ctx.props });
    passed.headers.delete(OBJECT_ID_HEADER);
    return await this.#host(id).fetch(passed);
  }

  /** Calls a method of the object. */
  async call(id: string, method: string, args: readonly unknown[]): Promise<unknown> {
    return await this.#host(id).call({ id, props: this.ctx.props }, method, args);
  }

  #host(id: string): DurableObjectStub<ObjectHost> {
    return this.env.OBJECTS.getByName(`${this.ctx.props.storage}/${id}`) as DurableObjectStub<ObjectHost>;
  }
}
