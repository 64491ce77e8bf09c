import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "../../environment.ts";
import { letOthersRun } from "../../event-loop.ts";

/** A rate limit of a script. */
export interface RateLimitProps {
  readonly namespaceId: string;
  /** The most calls with one key in a period. */
  readonly limit: number;
  /** Seconds. */
  readonly period: number;
}

/** The host entrypoint of a rate limit. Its stub is the binding itself. */
export class RateLimit extends WorkerEntrypoint<Environment, RateLimitProps> {
  /** Counts a call, and returns whether it is within the limit. */
  async limit(options: { readonly key: string }): Promise<{ success: boolean }> {
    await letOthersRun();
    if (typeof options !== "object" || options === null) throw new Error("invalid rate limit options");
    const { key = "" } = options;
    if (typeof key !== "string") throw new Error(`invalid key: ${String(key)}`);
    const { namespaceId, limit, period } = this.ctx.props;
    const counter = this.env.RATE_LIMITS.getByName(namespaceId) as DurableObjectStub<RateCounter>;
    return { success: await counter.count(key, limit, period) };
  }
}

/**
 * The counts of one `namespace_id`. As in miniflare, periods begin at multiples of their length. A new period deletes the counts of the
 * earlier ones, so the table has at most the keys of one period of each length.
 */
export class RateCounter extends DurableObject<Environment> {
  readonly #sql: SqlStorage;

  constructor(state: DurableObjectState, environment: Environment) {
    super(state, environment);
    this.#sql = state.storage.sql;
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS counts (
      key TEXT NOT NULL, period INTEGER NOT NULL, number INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (key, period)
    ) WITHOUT ROWID`);
  }

  /** Counts a call with a key unless the limit is reached. `false` if it is. */
  count(key: string, limit: number, period: number): boolean {
    const number = Math.floor(Date.now() / (period * 1000));
    this.#sql.exec("DELETE FROM counts WHERE period = ? AND number != ?", period, number);
    const counted = this.#sql.exec(
      `INSERT INTO counts (key, period, number, count) VALUES (?1, ?2, ?3, 1)
       ON CONFLICT DO UPDATE SET count = count + 1 WHERE count < ?4 RETURNING 1 AS counted`,
      key,
      period,
      number,
      limit,
    );
    return counted.toArray().length > 0;
  }
}
