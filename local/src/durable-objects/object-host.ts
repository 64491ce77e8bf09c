import { DurableObject } from "cloudflare:workers";
import type { Environment } from "../environment.ts";
import { scriptIsolate } from "../isolate/script-isolate.ts";
import { platform } from "../platform.ts";
import type { ObjectNamespaceProps } from "./object-namespace.ts";

/** The name of the one facet that a host has. */
const FACET = "object";

/**
 * One Durable Object of a user Worker. The object itself is a facet, whose class comes out of the script's isolate and
 * whose storage is this host's; a new version of the script restarts it, as a deploy does on the platform.
 */
export class ObjectHost extends DurableObject<Environment> {
  #running: { readonly id: string; readonly version: ObjectNamespaceProps } | null = null;

  /** Says which class, in which version, the next request is for. */
  prepare(id: string, version: ObjectNamespaceProps): void {
    this.#facet(id, version);
  }

  override async fetch(request: Request): Promise<Response> {
    if (this.#running === null) throw new Error("the Durable Object was not prepared");
    return await this.#facet(this.#running.id, this.#running.version).fetch(request);
  }

  /** Calls a method of the object. */
  async call(id: string, version: ObjectNamespaceProps, method: string, args: readonly unknown[]): Promise<unknown> {
    const facet = this.#facet(id, version) as unknown as Record<string, (...args: readonly unknown[]) => Promise<unknown>>;
    const called = facet[method];
    if (called === undefined) throw new TypeError(`The RPC receiver does not implement the method "${method}".`);
    return await called.apply(facet, args as unknown[]);
  }

  #facet(id: string, version: ObjectNamespaceProps): Fetcher {
    if (this.#running !== null && this.#running.version.version !== version.version) {
      this.ctx.facets.abort(FACET, new Error("The script has been updated. This Durable Object was restarted."));
    }
    this.#running = { id, version };
    return this.ctx.facets.get(FACET, () => ({
      class: scriptIsolate(platform(this.env, this.ctx as unknown as { exports: unknown }), version).getDurableObjectClass(version.className),
      id,
    }));
  }
}
