import type { Environment } from "../environment.ts";
import { letOthersRun } from "../event-loop.ts";
import { WorkerEntrypoint } from "cloudflare:workers";

/** The namespace of a cache. */
export interface UserCacheProps {
  readonly namespace: string;
}

/** The host entrypoint of `caches` in a user Worker. All Workers of a namespace share one cache, as in a trusted namespace. */
export class UserCache extends WorkerEntrypoint<Environment, UserCacheProps> {
  async match(name: string | null, request: Request, options?: CacheQueryOptions): Promise<Response | undefined> {
    return await (await this.#cache(name)).match(request, options);
  }

  async put(name: string | null, request: Request, response: Response): Promise<void> {
    await (await this.#cache(name)).put(request, response);
  }

  /** `delete` of the Cache API. */
  async remove(name: string | null, request: Request, options?: CacheQueryOptions): Promise<boolean> {
    return await (await this.#cache(name)).delete(request, options);
  }

  async #cache(name: string | null): Promise<Cache> {
    await letOthersRun();
    const { namespace } = this.ctx.props;
    return await caches.open(name === null ? `${namespace}/default` : `${namespace}/named/${name}`);
  }
}
