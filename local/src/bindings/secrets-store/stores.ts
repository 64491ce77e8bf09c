import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "../../environment.ts";
import { letOthersRun } from "../../event-loop.ts";

/** A secret that a script is bound to. */
export interface StoreSecretProps {
  readonly storeId: string;
  readonly secretName: string;
}

/** The host entrypoint of a secret. Its stub is the binding itself. */
export class StoreSecret extends WorkerEntrypoint<Environment, StoreSecretProps> {
  /** The value. Rejects if the store has no such secret. */
  async get(): Promise<string> {
    await letOthersRun();
    const { storeId, secretName } = this.ctx.props;
    const value = await secretStores(this.env).value(storeId, secretName);
    if (value !== null) return value;
    throw new Error(
      `Secret "${secretName}" not found in the store ${storeId}. Create it with ` +
        `\`wrangler secrets-store secret create ${storeId} --name ${secretName} --scopes workers --remote\`.`,
    );
  }
}

/** A secret without its value. */
export interface StoredSecret {
  readonly id: string;
  readonly store_id: string;
  readonly name: string;
  readonly comment: string;
  /** A list of scopes as JSON. */
  readonly scopes: string;
  /** RFC 3339, UTC. */
  readonly created: string;
  readonly modified: string;
}

/** A store. */
export interface StoredStore {
  readonly id: string;
  readonly name: string;
  /** RFC 3339, UTC. */
  readonly created: string;
}

const SECRET = "id, store_id, name, comment, scopes, created, modified";

/**
 * The Secrets Stores of the account, in one object. A store exists as soon as a secret is created in it: the ids in the configurations of
 * Workers are those of a real account. Values are stored unencrypted, as all secrets on this machine.
 */
export class SecretStores extends DurableObject<Environment> {
  readonly #sql: SqlStorage;

  constructor(state: DurableObjectState, environment: Environment) {
    super(state, environment);
    this.#sql = state.storage.sql;
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS stores (id TEXT PRIMARY KEY, name TEXT NOT NULL, created TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS secrets (
        id TEXT PRIMARY KEY, store_id TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, comment TEXT NOT NULL, scopes TEXT NOT NULL,
        created TEXT NOT NULL, modified TEXT NOT NULL, UNIQUE (store_id, name)
      ) WITHOUT ROWID;`);
  }

  stores(): StoredStore[] {
    return this.#sql.exec<StoredStore & Record<string, string>>("SELECT id, name, created FROM stores ORDER BY name").toArray();
  }

  createStore(name: string, id = crypto.randomUUID().replaceAll("-", "")): StoredStore {
    const created = new Date().toISOString();
    this.#sql.exec("INSERT OR IGNORE INTO stores (id, name, created) VALUES (?, ?, ?)", id, name, created);
    return { id, name, created };
  }

  /** Deletes a store with its secrets; `false` if it does not exist. */
  deleteStore(id: string): boolean {
    this.#sql.exec("DELETE FROM secrets WHERE store_id = ?", id);
    return this.#sql.exec("DELETE FROM stores WHERE id = ? RETURNING 1 AS deleted", id).toArray().length > 0;
  }

  /** The secrets of a store by name. */
  secrets(storeId: string): StoredSecret[] {
    return this.#sql
      .exec<StoredSecret & Record<string, string>>(`SELECT ${SECRET} FROM secrets WHERE store_id = ? ORDER BY name`, storeId)
      .toArray();
  }

  /** Creates a secret; `null` if the store has one of this name. */
  createSecret(storeId: string, name: string, value: string, comment: string, scopes: readonly string[]): StoredSecret | null {
    this.createStore(storeId, storeId);
    const now = new Date().toISOString();
    const rows = this.#sql.exec<StoredSecret & Record<string, string>>(
      `INSERT INTO secrets (id, store_id, name, value, comment, scopes, created, modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING RETURNING ${SECRET}`,
      crypto.randomUUID().replaceAll("-", ""),
      storeId,
      name,
      value,
      comment,
      JSON.stringify(scopes),
      now,
      now,
    );
    return rows.toArray()[0] ?? null;
  }

  /** Changes a secret; `null` if it does not exist. What is `null` stays. */
  changeSecret(id: string, value: string | null, comment: string | null, scopes: readonly string[] | null): StoredSecret | null {
    const rows = this.#sql.exec<StoredSecret & Record<string, string>>(
      `UPDATE secrets SET value = coalesce(?, value), comment = coalesce(?, comment), scopes = coalesce(?, scopes), modified = ?
       WHERE id = ? RETURNING ${SECRET}`,
      value,
      comment,
      scopes === null ? null : JSON.stringify(scopes),
      new Date().toISOString(),
      id,
    );
    return rows.toArray()[0] ?? null;
  }

  /** Deletes a secret; `false` if it does not exist. */
  deleteSecret(id: string): boolean {
    return this.#sql.exec("DELETE FROM secrets WHERE id = ? RETURNING 1 AS deleted", id).toArray().length > 0;
  }

  /** The value of a secret; `null` if it does not exist. */
  value(storeId: string, name: string): string | null {
    const select = "SELECT value FROM secrets WHERE store_id = ? AND name = ?";
    return this.#sql.exec<{ value: string }>(select, storeId, name).toArray()[0]?.value ?? null;
  }
}

/** The one object with all stores. */
export function secretStores(environment: Environment): DurableObjectStub<SecretStores> {
  return environment.SECRET_STORES.getByName("stores") as DurableObjectStub<SecretStores>;
}
