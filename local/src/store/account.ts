/** A product that an account must subscribe to. */
export type Product = "workers_for_platforms" | "r2";

/** The products that an account must subscribe to. */
export const PRODUCTS: readonly Product[] = ["workers_for_platforms", "r2"];

/** What is there in an account that began empty. Everything else of it is in the other tables. */
export interface EmptyAccount {
  /** The products without a subscription. */
  readonly unsubscribed: readonly Product[];
  /** The dispatch namespaces that were created, and when: RFC 3339, UTC. */
  readonly namespaces: Readonly<Record<string, string>>;
  /** The part of `SUBDOMAIN.workers.dev`; `null` until it is registered. */
  readonly subdomain: string | null;
}

/** A call that fails once. */
export interface Fault {
  readonly method: string;
  /** The end of the path. */
  readonly path: string;
  readonly status: number;
}

/** A token with a part of the permissions of the platform's. */
export interface LimitedToken {
  /** The permissions, by Cloudflare's names, such as `Workers Scripts Write`. */
  readonly permissions: readonly string[];
  /** The call with this token that fails once; `null` if there is none, or it failed. */
  readonly fault: Fault | null;
}

/** The state of an account that began empty, and tokens with a part of the permissions. */
export class AccountState {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The account; `null` unless it began empty. Then it has everything from the beginning. */
  empty(): EmptyAccount | null {
    const [row] = this.#sql.exec("SELECT document FROM account_state").toArray();
    return row === undefined ? null : (JSON.parse(String(row["document"])) as EmptyAccount);
  }

  /** Replaces the state of the account. */
  setEmpty(account: EmptyAccount | null): void {
    this.#sql.exec("DELETE FROM account_state");
    if (account !== null) this.#sql.exec("INSERT INTO account_state (id, document) VALUES (1, ?)", JSON.stringify(account));
  }

  /** Stores a token under the digest of its text. */
  setToken(digest: string, token: LimitedToken): void {
    this.#sql.exec("INSERT OR REPLACE INTO limited_tokens (digest, document) VALUES (?, ?)", digest, JSON.stringify(token));
  }

  /** The token with this digest. */
  token(digest: string): LimitedToken | null {
    const [row] = this.#sql.exec("SELECT document FROM limited_tokens WHERE digest = ?", digest).toArray();
    return row === undefined ? null : (JSON.parse(String(row["document"])) as LimitedToken);
  }
}
