/** A zone of the account. */
export interface Zone {
  /** 32 hexadecimal digits. */
  readonly id: string;
  /** Its apex, such as `example.com`. */
  readonly name: string;
}

/** A route of a zone. */
export interface ZoneRoute {
  readonly id: string;
  readonly zone: string;
  readonly pattern: string;
  /** The account Worker; `null` if no Worker gets the requests. */
  readonly script: string | null;
}

/** A DNS record of a zone. */
export interface DnsRecord {
  readonly id: string;
  readonly zone: string;
  readonly type: string;
  readonly name: string;
  readonly content: string;
  readonly proxied: boolean;
}

/** A custom domain of an account Worker. */
export interface CustomDomain {
  readonly id: string;
  readonly hostname: string;
  readonly service: string;
  readonly zone: string;
}

/** The zones with their routes, the custom domains, and which Durable Objects were used. */
export class Zones {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The zones by name. */
  zones(): Zone[] {
    return this.#sql.exec<{ id: string; name: string }>("SELECT id, name FROM zones ORDER BY name").toArray();
  }

  /** Adds a zone. `null` if there is one of this name. */
  addZone(name: string): Zone | null {
    const zone = { id: newId(), name };
    const added = this.#sql.exec("INSERT OR IGNORE INTO zones (id, name) VALUES (?, ?) RETURNING id", zone.id, name);
    return added.toArray().length > 0 ? zone : null;
  }

  /** The routes of a zone by pattern. */
  routes(zone: string): ZoneRoute[] {
    return this.#sql
      .exec<{ id: string; zone: string; pattern: string; script: string | null }>(
        "SELECT id, zone, pattern, script FROM zone_routes WHERE zone = ? ORDER BY pattern",
        zone,
      )
      .toArray();
  }

  /** Adds a route. `null` if the zone has one with this pattern. */
  addRoute(zone: string, pattern: string, script: string | null): ZoneRoute | null {
    const id = newId();
    const insert = "INSERT OR IGNORE INTO zone_routes (id, zone, pattern, script) VALUES (?, ?, ?, ?) RETURNING id";
    const added = this.#sql.exec(insert, id, zone, pattern, script);
    return added.toArray().length > 0 ? { id, zone, pattern, script } : null;
  }

  /** Changes a route. `false` if another route has the pattern. */
  changeRoute({ id, zone, pattern, script }: ZoneRoute): boolean {
    const changed = this.#sql.exec(
      "UPDATE OR IGNORE zone_routes SET pattern = ?, script = ? WHERE zone = ? AND id = ? RETURNING id",
      pattern,
      script,
      zone,
      id,
    );
    return changed.toArray().length > 0;
  }

  /** Removes a route. */
  removeRoute(zone: string, id: string): void {
    this.#sql.exec("DELETE FROM zone_routes WHERE zone = ? AND id = ?", zone, id);
  }

  /** The DNS records of a zone by name. */
  records(zone: string): DnsRecord[] {
    return this.#sql
      .exec<{ id: string; zone: string; type: string; name: string; content: string; proxied: number }>(
        "SELECT id, zone, type, name, content, proxied FROM dns_records WHERE zone = ? ORDER BY name, id",
        zone,
      )
      .toArray()
      .map((record) => ({ ...record, proxied: record.proxied === 1 }));
  }

  /** Adds a DNS record. */
  addRecord(record: Omit<DnsRecord, "id">): DnsRecord {
    const { zone, type, name, content, proxied } = record;
    const id = newId();
    const insert = "INSERT INTO dns_records (id, zone, type, name, content, proxied) VALUES (?, ?, ?, ?, ?, ?)";
    this.#sql.exec(insert, id, zone, type, name, content, proxied ? 1 : 0);
    return { id, ...record };
  }

  /** The custom domains by host name. */
  domains(): CustomDomain[] {
    return this.#sql
      .exec<{ id: string; hostname: string; service: string; zone: string }>(
        "SELECT id, hostname, service, zone FROM custom_domains ORDER BY hostname",
      )
      .toArray();
  }

  /** Attaches a host name to a Worker, in place of the one that has it. */
  setDomain(hostname: string, service: string, zone: string): CustomDomain {
    this.#sql.exec(
      `INSERT INTO custom_domains (id, hostname, service, zone) VALUES (?, ?, ?, ?)
       ON CONFLICT (hostname) DO UPDATE SET service = excluded.service, zone = excluded.zone`,
      newId(),
      hostname,
      service,
      zone,
    );
    const set = this.domains().find((domain) => domain.hostname === hostname);
    if (set === undefined) throw new Error(`the custom domain ${hostname} was not stored`);
    return set;
  }

  /** Detaches a custom domain. `false` if there is none with this id. */
  removeDomain(id: string): boolean {
    return this.#sql.exec("DELETE FROM custom_domains WHERE id = ? RETURNING id", id).toArray().length > 0;
  }

  /** Removes the routes and custom domains of a Worker that is deleted. */
  removeWorker(script: string): void {
    this.#sql.exec("DELETE FROM zone_routes WHERE script = ?", script);
    this.#sql.exec("DELETE FROM custom_domains WHERE service = ?", script);
  }

  /** Records that a Durable Object was used. */
  recordObject(storage: string, id: string): void {
    this.#sql.exec("INSERT OR IGNORE INTO used_objects (storage, id) VALUES (?, ?)", storage, id);
  }

  /** The Durable Objects of a class that were used, by id. */
  objects(storage: string): string[] {
    return this.#sql
      .exec<{ id: string }>("SELECT id FROM used_objects WHERE storage = ? ORDER BY id LIMIT 1000", storage)
      .toArray()
      .map(({ id }) => id);
  }
}

function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
