import { DurableObject } from "cloudflare:workers";
import type { Environment } from "../../environment.ts";
import { platform } from "../../platform.ts";
import { accountAddress } from "../../script.ts";
import { deliverBatch } from "./delivery.ts";
import { type Queue, type QueueConsumer, queueDirectory } from "./directory.ts";
import { MESSAGES_SCHEMA, Messages, type MessageState, type NewMessage, type QueueMetrics, type StoredMessage } from "./messages.ts";
import { MAX_DELAY_SECONDS } from "./settings.ts";

/*
 * A queue. Each message is in one of these states:
 *
 *   waiting     it has no lease. It can be delivered from `available_at` on.
 *   delivering  it has the lease of a delivery to a Worker, which runs in this process.
 *   leased      it has the lease of a pull, which ends at `lease_until`.
 *   deleted     it was acknowledged, it expired, or all its retries failed. Then it is in the dead-letter queue, if there is one.
 *
 * Invariants:
 * - A producer gets a response only after its messages are on disk: the runtime sends it after the writes before it.
 * - A message is deleted only after its consumer acknowledged it, or after the dead-letter queue has stored it. A kill in between leads to
 *   another delivery, so every message is delivered at least once.
 * - No delivery outlives the process. The constructor makes messages of interrupted deliveries wait again. Their attempt counts, but a
 *   message is dead only after a delivery that ended.
 * - While there are messages, the object has an alarm: for the next batch, for the end of a lease or of the retention, and every
 *   HEARTBEAT_MS while a delivery runs. So the queue continues after a kill.
 * - Only `alarm` starts deliveries. It reads the configuration of the queue first, and does not wait for the deliveries: one that does not
 *   end holds up neither the other batches nor other queues.
 */

/** The most messages of a queue. */
export const MAX_MESSAGES = 100_000;
/** The most bytes of the messages of a queue. */
export const MAX_BYTES = 256e6;

/** How many batches a Worker gets at the same time, unless the consumer has `max_concurrency`. */
const DEFAULT_CONCURRENCY = 5;
/** How often the alarm runs during deliveries, in milliseconds. After a kill, the queue continues after at most this time. */
const HEARTBEAT_MS = 2000;
/** How often a queue with messages looks for a consumer, or for the Worker of its consumer, in milliseconds. */
const NO_CONSUMER_MS = 60_000;
const NO_WORKER_MS = 2000;
/** The delay of messages that a dead-letter queue does not accept, in milliseconds. */
const DEAD_LETTER_RETRY_MS = 60_000;

/** The result of a pull: messages with the lease that a client has to acknowledge. */
export interface PulledMessages {
  readonly lease: string;
  readonly messages: readonly StoredMessage[];
  readonly metrics: QueueMetrics;
}

/** The messages of one queue, and their delivery. The name of the object is the id of the queue. */
export class QueueBroker extends DurableObject<Environment> {
  readonly #messages: Messages;
  /** The leases of the deliveries that run. */
  readonly #deliveries = new Set<string>();
  /** When the alarm is due: `undefined` if this instance does not know. */
  #alarmAt: number | undefined;
  /** No delivery is started before, because the Worker of the consumer did not exist or must not run. */
  #noWorkerUntil = 0;

  constructor(state: DurableObjectState, environment: Environment) {
    super(state, environment);
    state.storage.sql.exec(MESSAGES_SCHEMA);
    this.#messages = new Messages(state.storage.sql);
    this.#messages.releaseInterrupted();
  }

  /** Stores new messages; `null` if the queue is full. */
  send(queue: Queue, messages: readonly NewMessage[]): QueueMetrics | null {
    if (!this.#hasSpaceFor(messages)) return null;
    const { delivery_delay: delay } = queue.settings;
    this.ctx.storage.transactionSync(() => this.#messages.add(messages, delay, Date.now()));
    this.#schedule(queue);
    return this.#messages.metrics();
  }

  /** Stores messages of another queue whose retries failed. `false` if the queue is full. */
  sendDead(queue: Queue, messages: readonly StoredMessage[]): boolean {
    if (!this.#hasSpaceFor(messages)) return false;
    this.ctx.storage.transactionSync(() => this.#messages.addDead(messages, Date.now()));
    this.#schedule(queue);
    return true;
  }

  metrics(): QueueMetrics {
    return this.#messages.metrics();
  }

  /** The first messages, with or without a lease. */
  first(count: number): MessageState[] {
    return this.#messages.first(count);
  }

  /** Deletes all messages. */
  purge(): void {
    this.#messages.clear();
  }

  /** Deletes one message, with or without a lease. `false` if it does not exist. */
  removeMessage(id: string): boolean {
    return this.#messages.remove(id);
  }

  /** Reads the configuration of the queue again. Called after every change of it, also after the queue was deleted. */
  async wake(): Promise<void> {
    this.#noWorkerUntil = 0;
    await this.#setAlarm(Date.now());
  }

  /** Leases messages to a client for `visibilityMs` milliseconds. */
  async pull(queue: Queue, count: number, visibilityMs: number): Promise<PulledMessages> {
    const now = Date.now();
    await this.#endLeases(queue, now);
    const lease = crypto.randomUUID();
    const messages = queue.settings.delivery_paused ? [] : this.#messages.take(count, lease, now + visibilityMs, now);
    this.#schedule(queue);
    return { lease, messages, metrics: this.#messages.metrics() };
  }

  /** Deletes messages that a client acknowledges, also after the end of their lease. Returns those that do not exist any more. */
  acknowledge(ids: readonly string[]): string[] {
    return ids.filter((id) => !this.#messages.remove(id));
  }

  /** Ends the lease of a message that a client could not process. `false` if the lease has ended. */
  async retry(queue: Queue, lease: string, id: string, delaySeconds: number | null): Promise<boolean> {
    if (!this.#messages.leased(lease).some((message) => message.id === id)) return false;
    await this.#settle(queue, lease, { acknowledged: [], failed: new Map([[id, delaySeconds]]) });
    this.#schedule(queue);
    return true;
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = undefined;
    const queue = await queueDirectory(this.env).find({ id: this.ctx.id.name ?? "" });
    if (queue === null) {
      this.#messages.clear();
      return;
    }
    const now = Date.now();
    const expired = this.#messages.expire(now - queue.settings.message_retention_period * 1000);
    if (expired > 0) console.warn(`The queue ${queue.name} deleted ${expired} messages that are older than its retention period.`);
    await this.#endLeases(queue, now);
    this.#startDeliveries(queue, now);
    this.#schedule(queue);
  }

  #hasSpaceFor(messages: readonly { readonly body: ArrayBuffer }[]): boolean {
    const { backlogCount, backlogBytes } = this.#messages.metrics();
    const bytes = messages.reduce((size, { body }) => size + body.byteLength, backlogBytes);
    return backlogCount + messages.length <= MAX_MESSAGES && bytes <= MAX_BYTES;
  }

  #startDeliveries(queue: Queue, now: number): void {
    const consumer = activeWorker(queue);
    if (consumer === null || now < this.#noWorkerUntil) return;
    const { batch_size: size, max_wait_time_ms: wait } = consumer.settings;
    while (this.#deliveries.size < concurrency(consumer)) {
      const dueAt = this.#messages.batchDueAt(size, wait);
      if (dueAt === null || dueAt > now) return;
      const lease = crypto.randomUUID();
      const messages = this.ctx.storage.transactionSync(() => this.#messages.take(size, lease, null, now));
      if (messages.length === 0) return;
      this.#deliveries.add(lease);
      this.ctx.waitUntil(this.#deliver(queue, consumer, lease, messages));
    }
  }

  async #deliver(queue: Queue, consumer: QueueConsumer, lease: string, messages: readonly StoredMessage[]): Promise<void> {
    try {
      // A message is delivered only after its attempt is on disk.
      await this.ctx.storage.sync();
      const here = platform(this.env, this.ctx);
      const outcome = await deliverBatch(here, accountAddress(consumer.script ?? ""), queue.name, messages, this.#messages.metrics());
      if (outcome === null) {
        this.#noWorkerUntil = Date.now() + NO_WORKER_MS;
        this.#messages.cancel(lease);
      } else {
        await this.#settle(queue, lease, outcome);
      }
    } catch (cause) {
      console.error(`The queue ${queue.name} failed, and delivers ${messages.length} messages again:`, cause);
      for (const { id } of messages) this.#messages.release(id, lease, Date.now() + NO_WORKER_MS);
    } finally {
      this.#deliveries.delete(lease);
      this.#schedule(queue);
    }
  }

  /** Applies the outcome of a delivery or of a pull. */
  async #settle(
    queue: Queue,
    lease: string,
    { acknowledged, failed }: { readonly acknowledged: readonly string[]; readonly failed: ReadonlyMap<string, number | null> },
  ): Promise<void> {
    const { max_retries: maxRetries = 0, retry_delay: retryDelay = 0 } = queue.consumer?.settings ?? {};
    const dead: StoredMessage[] = [];
    this.ctx.storage.transactionSync(() => {
      for (const id of acknowledged) this.#messages.remove(id, lease);
      if (failed.size === 0) return;
      const now = Date.now();
      for (const message of this.#messages.leased(lease)) {
        const delay = failed.get(message.id);
        if (delay === undefined) continue;
        if (message.attempts > maxRetries) dead.push(message);
        else this.#messages.release(message.id, lease, now + Math.min(Math.max(delay ?? retryDelay, 0), MAX_DELAY_SECONDS) * 1000);
      }
    });
    if (dead.length === 0) return;
    const target = queue.consumer?.deadLetterQueue ?? null;
    const attempts = `${maxRetries + 1} attempts`;
    if (target === null) {
      console.warn(`The queue ${queue.name} deletes ${dead.length} messages after ${attempts}: it has no dead-letter queue.`);
    } else if (await this.#sendToDeadLetterQueue(target, dead)) {
      console.warn(`The queue ${queue.name} sent ${dead.length} messages to ${target} after ${attempts}.`);
    } else {
      console.error(`The dead-letter queue ${target} is full. The queue ${queue.name} keeps ${dead.length} messages.`);
      for (const { id } of dead) this.#messages.release(id, lease, Date.now() + DEAD_LETTER_RETRY_MS);
      return;
    }
    this.ctx.storage.transactionSync(() => dead.forEach(({ id }) => this.#messages.remove(id, lease)));
  }

  async #sendToDeadLetterQueue(name: string, messages: readonly StoredMessage[]): Promise<boolean> {
    const directory = queueDirectory(this.env);
    let target: Queue | "full" | "taken" | null = await directory.find({ name });
    target ??= await directory.create(name);
    return typeof target === "object" && (await queueBroker(this.env, target.id).sendDead(target, messages));
  }

  /** Ends the leases of pulls whose time is over: each is a failed attempt. */
  async #endLeases(queue: Queue, now: number): Promise<void> {
    for (const lease of this.#messages.endedLeases(now)) {
      const failed = new Map(this.#messages.leased(lease).map(({ id }) => [id, null]));
      await this.#settle(queue, lease, { acknowledged: [], failed });
    }
  }

  /** Sets the alarm to the next time at which something has to happen. */
  #schedule(queue: Queue): void {
    const now = Date.now();
    const times: number[] = [];
    if (this.#deliveries.size > 0) times.push(now + HEARTBEAT_MS);
    const oldest = this.#messages.oldestWaitingAt();
    if (oldest !== null) times.push(now + NO_CONSUMER_MS, oldest + queue.settings.message_retention_period * 1000 + 1);
    const leaseEnd = this.#messages.leaseEndsAt();
    if (leaseEnd !== null) times.push(leaseEnd);
    const consumer = activeWorker(queue);
    if (consumer !== null && this.#deliveries.size < concurrency(consumer)) {
      const dueAt = this.#messages.batchDueAt(consumer.settings.batch_size, consumer.settings.max_wait_time_ms);
      if (dueAt !== null) times.push(Math.max(dueAt, this.#noWorkerUntil));
    }
    if (times.length > 0) this.ctx.waitUntil(this.#setAlarm(Math.max(Math.min(...times), now)));
  }

  async #setAlarm(time: number): Promise<void> {
    if (this.#alarmAt !== undefined && this.#alarmAt <= time) return;
    this.#alarmAt = time;
    await this.ctx.storage.setAlarm(time);
  }
}

/** The Worker that gets the messages of a queue now. */
function activeWorker({ consumer, settings }: Queue): QueueConsumer | null {
  return consumer?.type === "worker" && !settings.delivery_paused ? consumer : null;
}

function concurrency({ settings }: QueueConsumer): number {
  return settings.max_concurrency ?? DEFAULT_CONCURRENCY;
}

/** The object with the messages of a queue. */
export function queueBroker(environment: Environment, id: string): DurableObjectStub<QueueBroker> {
  return environment.QUEUE_BROKERS.getByName(id) as DurableObjectStub<QueueBroker>;
}
