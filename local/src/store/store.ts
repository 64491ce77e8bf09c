import { type StorageAddress, type StorageKind, boundStorage } from "../bindings/storage.ts";
import type { Environment } from "../environment.ts";
import { SCHEMA } from "./schema.ts";
import {
  isAccountWorker,
  type ScriptAddress,
  type ScriptVersion,
  type StoredScript,
  type VersionAddress,
  accountAddress,
} from "../script.ts";
import {
  type AccountWorker,
  AccountWorkers,
  type Schedule,
  type ServedWorker,
  type UploadedVersion,
  type WorkerDeployment,
} from "./account-workers.ts";
import { AccountState, type EmptyAccount, type LimitedToken } from "./account.ts";
import { type AssetSession, AssetUploads, type UploadedAsset } from "./asset-uploads.ts";
import { type Chunk, Contents } from "./contents.ts";
import { type Dispatch, DispatchLog } from "./dispatch-log.ts";
import { type Resource, Resources } from "./resources.ts";
import { type LiveVersion, type QueueProducer, type ScriptChange, Scripts } from "./scripts.ts";
import { type CustomDomain, type DnsRecord, type Zone, type ZoneRoute, Zones } from "./zones.ts";
import { DurableObject } from "cloudflare:workers";

/** The shortest time between two searches for unused bytes, in milliseconds. A search reads every version. */
const REMOVAL_INTERVAL_MS = 10 * 60 * 1000;

/** The outcome of a change. */
export type ChangeOutcome =
  /** It is live, and on disk. */
  | "done"
  /** The script changed in between: read it again, and try again. */
  | "overtaken"
  /** Bytes that the version refers to are not in the store: send them again. */
  | "incomplete";

/**
 * The state of deploys. One object has all of it, so changes have an order: a change
 * names the revision that it was made from, and is refused if another was made first. The runtime sends a response only after the
 * writes before it are on disk, so after a kill at any moment a script has the old version or the new one.
 */
export class Store extends DurableObject<Environment> {
  readonly #scripts: Scripts;
  readonly #contents: Contents;
  readonly #assets: AssetUploads;
  readonly #resources: Resources;
  readonly #accountWorkers: AccountWorkers;
  readonly #account: AccountState;
  readonly #zones: Zones;
  readonly #dispatches = new DispatchLog();
  #unusedRemovedAt = Number.NEGATIVE_INFINITY;

  constructor(state: DurableObjectState, environment: Environment) {
    super(state, environment);
    const { sql } = state.storage;
    sql.exec(SCHEMA);
    this.#scripts = new Scripts(sql);
    this.#contents = new Contents(sql);
    this.#assets = new AssetUploads(sql);
    this.#resources = new Resources(sql);
    this.#accountWorkers = new AccountWorkers(sql);
    this.#account = new AccountState(sql);
    this.#zones = new Zones(sql);
    this.#removeUnused();
    // No deploy runs at this time.
    this.#contents.removeLooseChunks();
  }

  /** Records the dispatch, and returns the version that serves it; `null` if there is no such script. */
  dispatch(dispatch: Omit<Dispatch, "at" | "version">): LiveVersion | null {
    const live = this.#scripts.live(dispatch);
    this.#dispatches.add({ ...dispatch, at: new Date().toISOString(), version: live?.id ?? null });
    return live;
  }

  /** The last dispatches, the newest first. */
  dispatches(): Dispatch[] {
    return this.#dispatches.newest();
  }

  /** Deletes the records of dispatches. */
  clearDispatches(): void {
    this.#dispatches.clear();
  }

  /** The script with its current version. */
  script(address: ScriptAddress): StoredScript | null {
    return this.#scripts.get(address);
  }

  /** A version by its id. */
  version(id: string): ScriptVersion | null {
    return this.#scripts.version(id);
  }

  /** The class whose objects have this storage, in the live version of its script; `null` if there is none. */
  objectClass(storage: string): (VersionAddress & { readonly className: string }) | null {
    return this.#scripts.objectClass(storage);
  }

  /** The scripts whose live versions have bindings to queues. */
  queueProducers(): QueueProducer[] {
    return this.#scripts.queueProducers();
  }

  /** The scripts of a namespace whose name comes after `after`, by name. */
  scripts(namespace: string, after: string): StoredScript[] {
    return this.#scripts.list(namespace, after);
  }

  /** How many scripts a namespace holds. */
  scriptCount(namespace: string): number {
    return this.#scripts.count(namespace);
  }

  /** Makes a version the live one. The bytes of its modules and of its assets' manifest must be stored before. */
  async change(change: ScriptChange): Promise<ChangeOutcome> {
    const now = new Date();
    const digests = digestsOf(change.to);
    const outcome = this.ctx.storage.transactionSync((): ChangeOutcome => {
      if (this.#contents.missing(digests, now.getTime()).length > 0) return "incomplete";
      if (!this.#scripts.change(change, now)) return "overtaken";
      for (const address of boundStorage(change.to.bindings)) this.#resources.ensure(address, now);
      if (isAccountWorker(change)) this.#accountWorkers.deployed(change.script, change.to, change.message ?? null, now);
      return "done";
    });
    this.#removeUnused();
    await this.ctx.storage.sync();
    return outcome;
  }

  /** Removes a script. `false` if it does not exist. */
  async remove(address: ScriptAddress): Promise<boolean> {
    const now = new Date();
    const removed = this.ctx.storage.transactionSync(() => {
      if (isAccountWorker(address)) {
        this.#accountWorkers.remove(address.script, now);
        this.#zones.removeWorker(address.script);
      }
      return this.#scripts.remove(address, now);
    });
    await this.ctx.storage.sync();
    return removed;
  }

  /** The parts of an account Worker that a request to its address needs; `null` if it does not exist. */
  servedWorker(script: string): ServedWorker | null {
    const live = this.#scripts.live(accountAddress(script));
    return live && { live, workersDev: this.#accountWorkers.get(script)?.workersDev ?? false };
  }

  /** The live version of a script; `null` if it does not exist. */
  liveVersion(address: ScriptAddress): LiveVersion | null {
    return this.#scripts.live(address);
  }

  /** What an account Worker has besides its versions; `null` if it does not exist. */
  accountWorker(script: string): AccountWorker | null {
    return this.#accountWorkers.get(script);
  }

  /** Sets whether an account Worker has an address. */
  async setWorkerAddress(script: string, workersDev: boolean, previews: boolean): Promise<void> {
    this.#accountWorkers.setAddress(script, workersDev, previews);
    await this.ctx.storage.sync();
  }

  /** Stores a version of an account Worker that is not live. The bytes of its modules must be stored before. */
  async uploadVersion(script: string, version: ScriptVersion): Promise<ChangeOutcome> {
    const now = new Date();
    const outcome = this.ctx.storage.transactionSync((): ChangeOutcome => {
      const live = this.#scripts.live(accountAddress(script));
      if (live === null) return "overtaken";
      if (this.#contents.missing(digestsOf(version), now.getTime()).length > 0) return "incomplete";
      this.#accountWorkers.upload(script, version, live.id, now);
      return "done";
    });
    await this.ctx.storage.sync();
    return outcome;
  }

  /** The versions of an account Worker that can be deployed, the newest first. */
  uploadedVersions(script: string): UploadedVersion[] {
    return this.#accountWorkers.versions(script);
  }

  /** The deployments of an account Worker, the newest first. */
  workerDeployments(script: string): WorkerDeployment[] {
    return this.#accountWorkers.deployments(script);
  }

  /** The crons of an account Worker, or of all. */
  schedules(script: string | null): Schedule[] {
    return this.#accountWorkers.schedules(script);
  }

  /** Claims the crons of a minute: false if they ran already. */
  async claimMinute(minute: number): Promise<boolean> {
    const claimed = this.#accountWorkers.claimMinute(minute);
    await this.ctx.storage.sync();
    return claimed;
  }

  /** Replaces the crons of an account Worker. */
  async setSchedules(script: string, crons: readonly string[]): Promise<void> {
    this.ctx.storage.transactionSync(() => this.#accountWorkers.setSchedules(script, crons, new Date()));
    await this.ctx.storage.sync();
  }

  /** The digests whose bytes must be sent. */
  missingContents(digests: readonly string[]): string[] {
    return this.#contents.missing(digests, Date.now());
  }

  /** Stores chunks. Bytes exist after their last chunk. */
  keepChunks(chunks: readonly Chunk[]): void {
    const now = Date.now();
    this.ctx.storage.transactionSync(() => chunks.forEach((chunk) => this.#contents.keepChunk(chunk, now)));
  }

  /** Up to `count` chunks from `position` on; `null` if the bytes are not stored. */
  chunks(digest: string, position: number, count: number): ArrayBuffer[] | null {
    return this.#contents.chunks(digest, position, count);
  }

  /** Opens an upload of assets, and answers the hashes whose files must be sent. */
  openAssetSession(session: AssetSession, hashes: readonly string[]): string[] {
    this.#assets.open(session, Date.now());
    return this.#assets.missing(session, hashes);
  }

  /** The upload of that id, unless it has expired. */
  assetSession(id: string): AssetSession | null {
    return this.#assets.session(id, Date.now());
  }

  /** Keeps files of a script whose bytes are here already. */
  async keepAssets(address: ScriptAddress, assets: readonly UploadedAsset[]): Promise<void> {
    this.ctx.storage.transactionSync(() => assets.forEach((asset) => this.#assets.keep(address, asset)));
    await this.ctx.storage.sync();
  }

  /** Those of the hashes that the script has no file for yet. */
  missingAssets(address: ScriptAddress, hashes: readonly string[]): string[] {
    return this.#assets.missing(address, hashes);
  }

  /** The file of that hash. */
  asset(address: ScriptAddress, hash: string): UploadedAsset | null {
    return this.#assets.find(address, hash);
  }

  /** The KV namespaces, D1 databases or R2 buckets, by name. */
  resources(kind: StorageKind): Resource[] {
    return this.#resources.list(kind);
  }

  /** Adds a resource if it is missing, as a deploy does for each binding. */
  ensureResource(address: StorageAddress): void {
    this.#resources.ensure(address, new Date());
  }

  /** Adds a resource. `null` if its id or its name is taken. */
  createResource(address: StorageAddress, name: string): Resource | null {
    return this.#resources.create(address, name, new Date());
  }

  /** Changes the name of a resource. False if it does not exist, or the name is taken. */
  renameResource(address: StorageAddress, name: string): boolean {
    return this.#resources.rename(address, name);
  }

  /** Removes a resource from the list. */
  removeResource(address: StorageAddress): void {
    this.#resources.remove(address);
  }

  /** The account if it began empty; otherwise `null`. */
  emptyAccount(): EmptyAccount | null {
    return this.#account.empty();
  }

  /** Replaces what an account that began empty has. */
  async setEmptyAccount(account: EmptyAccount | null): Promise<void> {
    this.#account.setEmpty(account);
    await this.ctx.storage.sync();
  }

  /** The token with this digest; `null` if there is none. */
  limitedToken(digest: string): LimitedToken | null {
    return this.#account.token(digest);
  }

  /** Stores a token under the digest of its text. */
  async setLimitedToken(digest: string, token: LimitedToken): Promise<void> {
    this.#account.setToken(digest, token);
    await this.ctx.storage.sync();
  }

  /** The zones by name. */
  zones(): Zone[] {
    return this.#zones.zones();
  }

  /** Adds a zone. `null` if there is one of this name. */
  async addZone(name: string): Promise<Zone | null> {
    const zone = this.#zones.addZone(name);
    await this.ctx.storage.sync();
    return zone;
  }

  /** The routes of a zone by pattern. */
  zoneRoutes(zone: string): ZoneRoute[] {
    return this.#zones.routes(zone);
  }

  /** Adds a route. `null` if the zone has one with this pattern. */
  async addZoneRoute(zone: string, pattern: string, script: string | null): Promise<ZoneRoute | null> {
    const route = this.#zones.addRoute(zone, pattern, script);
    await this.ctx.storage.sync();
    return route;
  }

  /** Changes a route. False if another route has the pattern. */
  async changeZoneRoute(route: ZoneRoute): Promise<boolean> {
    const changed = this.#zones.changeRoute(route);
    await this.ctx.storage.sync();
    return changed;
  }

  /** Removes a route. */
  async removeZoneRoute(zone: string, id: string): Promise<void> {
    this.#zones.removeRoute(zone, id);
    await this.ctx.storage.sync();
  }

  /** The DNS records of a zone by name. */
  dnsRecords(zone: string): DnsRecord[] {
    return this.#zones.records(zone);
  }

  /** Adds a DNS record. */
  async addDnsRecord(record: Omit<DnsRecord, "id">): Promise<DnsRecord> {
    const added = this.#zones.addRecord(record);
    await this.ctx.storage.sync();
    return added;
  }

  /** The custom domains by host name. */
  customDomains(): CustomDomain[] {
    return this.#zones.domains();
  }

  /** Attaches a host name to an account Worker, in place of the one that has it. */
  async setCustomDomain(hostname: string, service: string, zone: string): Promise<CustomDomain> {
    const domain = this.#zones.setDomain(hostname, service, zone);
    await this.ctx.storage.sync();
    return domain;
  }

  /** Detaches a custom domain. */
  async removeCustomDomain(id: string): Promise<void> {
    this.#zones.removeDomain(id);
    await this.ctx.storage.sync();
  }

  /** Records that a Durable Object was used. */
  recordObject(storage: string, id: string): void {
    this.#zones.recordObject(storage, id);
  }

  /** The Durable Objects of a class that were used, by id. */
  usedObjects(storage: string): string[] {
    return this.#zones.objects(storage);
  }

  #removeUnused(): void {
    const now = new Date();
    if (now.getTime() - this.#unusedRemovedAt < REMOVAL_INTERVAL_MS) return;
    this.#unusedRemovedAt = now.getTime();
    this.#scripts.removeLeft(now);
    this.#contents.removeUnused(now.getTime());
  }
}

/** The digests of the bytes that a version refers to. */
function digestsOf({ modules, assets }: ScriptVersion): string[] {
  const digests = modules.map((module) => module.digest);
  return assets === null ? digests : [...digests, assets.manifest];
}
