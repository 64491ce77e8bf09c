import { WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "../environment.ts";
import { OBJECT_ID_HEADER } from "../isolate/object-namespace-module.ts";
import type { VersionProps } from "../isolate/version-props.ts";
import { addressed, type ObjectHost } from "./object-host.ts";

/** A Durable Object class of a version. */
export interface ObjectNamespaceProps extends VersionProps {
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
    return this.env.OBJECTS.getByName(`${this.ctx.props.storage}/${id}`);
  }
}
