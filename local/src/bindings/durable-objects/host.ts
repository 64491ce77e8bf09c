import type { Environment } from "../../environment.ts";
import { scriptIsolate } from "../../isolate/isolates.ts";
import { platform } from "../../platform.ts";
import type { ObjectNamespaceProps } from "./namespace.ts";
import { DurableObject } from "cloudflare:workers";

/** The name of the one facet that a host has. */
const FACET = "object";
/** The key under which the host keeps the version that the facet runs. */
const RUNNING = "running version";

/** The header that carries an {@link ObjectAddress} from the binding to the host, and no further. */
const ADDRESS_HEADER = "x-local-platform-address";

/** An object: its id, and the class and version that run it. */
export interface ObjectAddress {
  readonly id: string;
  readonly props: ObjectNamespaceProps;
}

/** The request as the host of that object takes it. */
export function addressed(request: Request, address: ObjectAddress): Request {
  const passed = new Request(request);
  passed.headers.set(ADDRESS_HEADER, JSON.stringify(address));
  return passed;
}

/**
 * One Durable Object of a user Worker. The object itself is a facet, whose class comes out of the script's isolate and
 * whose storage is this host's; a new version of the script restarts it, as a deploy does on the platform.
 */
export class ObjectHost extends DurableObject<Environment> {
  /** Passes a request to the object. What says which class and version stands in a header, see {@link addressed}. */
  override async fetch(request: Request): Promise<Response> {
    const passed = new Request(request);
    const { id, props } = JSON.parse(passed.headers.get(ADDRESS_HEADER) ?? "{}") as ObjectAddress;
    passed.headers.delete(ADDRESS_HEADER);
    return await this.#facet(id, props).fetch(passed);
  }

  /** Calls a method of the object. */
  async call({ id, props }: ObjectAddress, method: string, args: readonly unknown[]): Promise<unknown> {
    const facet = this.#facet(id, props) as unknown as Record<
      string,
      (...args: readonly unknown[]) => Promise<unknown>
    >;
    // Every property of a stub is callable; the object itself refuses what it does not have.
    return await facet[method]?.(...args);
  }

  #facet(id: string, props: ObjectNamespaceProps): Fetcher {
    const { kv } = this.ctx.storage;
    // The facet can outlive this instance of the host, so what it runs is written down and not only remembered.
    if (kv.get<string>(RUNNING) !== props.version) {
      this.ctx.facets.abort(FACET, new Error("The script has been updated. This Durable Object was restarted."));
      kv.put(RUNNING, props.version);
    }
    return this.ctx.facets.get(FACET, () => ({
      class: scriptIsolate(platform(this.env, this.ctx), props).getDurableObjectClass(props.className),
      id,
    }));
  }
}
