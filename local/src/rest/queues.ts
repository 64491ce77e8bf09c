import { queueBroker } from "../bindings/queues/broker.ts";
import { MAX_QUEUES, type Queue, type QueueConsumer, queueDirectory } from "../bindings/queues/directory.ts";
import { changedQueueSettings, DEFAULT_QUEUE_SETTINGS, readConsumer } from "../bindings/queues/settings.ts";
import { Refusal } from "../refusal.ts";
import { accountAddress, isAccountWorker, scriptNotFound } from "../script.ts";
import type { QueueProducer } from "../store/scripts.ts";
import { type Call, jsonObjectBody, parameter } from "./call.ts";
import { success } from "./envelope.ts";
import { wholeNumber } from "./resources.ts";

/** Cloudflare's rule for the names of queues. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/;

/** One page of the queues: `?name&page&per_page`. `name` can be repeated. */
export async function listQueues(call: Call): Promise<Response> {
  const page = wholeNumber(call, "page", 1, Number.MAX_SAFE_INTEGER);
  const perPage = wholeNumber(call, "per_page", 100, 1000);
  const names = call.req.queries("name") ?? [];
  const all = (await queueDirectory(call.env).list()).filter(({ name }) => names.length === 0 || names.includes(name));
  const selected = all.slice((page - 1) * perPage, page * perPage);
  const producers = await call.var.platform.store.queueProducers();
  const info = { page, per_page: perPage, count: selected.length, total_count: all.length };
  return success(selected.map((queue) => shownQueue(queue, producers)), { info });
}

/** Creates a queue: `{queue_name, settings}`. */
export async function createQueue(call: Call): Promise<Response> {
  const { queue_name: name, settings } = await jsonObjectBody(call);
  const created = await queueDirectory(call.env).create(checkedName(name), changedQueueSettings(DEFAULT_QUEUE_SETTINGS, settings));
  if (created === "taken") throw nameTaken(String(name));
  if (created === "full") {
    throw new Refusal("QUEUE_SETTINGS_INVALID", `The account has ${MAX_QUEUES} queues, which is the limit. Delete one first.`);
  }
  return success(shownQueue(created, []));
}

/** One queue. */
export async function getQueue(call: Call): Promise<Response> {
  return success(await shown(call, await queueOf(call)));
}

/** Changes the name or settings of a queue: `{queue_name, settings}`. */
export async function changeQueue(call: Call): Promise<Response> {
  const queue = await queueOf(call);
  const { queue_name: name, settings } = await jsonObjectBody(call);
  const newName = name === undefined ? queue.name : checkedName(name);
  const changed = await queueDirectory(call.env).change(queue.id, newName, changedQueueSettings(queue.settings, settings));
  if (changed === "taken") throw nameTaken(newName);
  if (changed === null) throw queueNotFound(queue.id);
  await queueBroker(call.env, queue.id).wake();
  return success(await shown(call, changed));
}

/** Deletes a queue with its messages and its consumer. */
export async function deleteQueue(call: Call): Promise<Response> {
  const { id } = await queueOf(call);
  await queueDirectory(call.env).remove(id);
  await queueBroker(call.env, id).wake();
  return success(null);
}

/** The consumer of a queue, in a list. */
export async function listConsumers(call: Call): Promise<Response> {
  const queue = await queueOf(call);
  return success(queue.consumer === null ? [] : [shownConsumer(queue, queue.consumer)]);
}

/** One consumer. */
export async function getConsumer(call: Call): Promise<Response> {
  const { queue, consumer } = await consumerOf(call);
  return success(shownConsumer(queue, consumer));
}

/** Adds the consumer of a queue: an account Worker or a pull consumer. */
export async function createConsumer(call: Call): Promise<Response> {
  const queue = await queueOf(call);
  const request = await consumerRequest(call, queue);
  const consumer = await queueDirectory(call.env).addConsumer(queue.id, request);
  if (consumer === null) {
    throw new Refusal(
      "QUEUE_CONSUMER_EXISTS",
      `The queue ${queue.name} has a consumer already${queue.consumer?.script ? `: the Worker ${queue.consumer.script}` : ""}. ` +
        "A queue has one consumer: remove it first, with `wrangler queues consumer remove` or `wrangler queues consumer http remove`.",
    );
  }
  await queueBroker(call.env, queue.id).wake();
  return success(shownConsumer(queue, consumer));
}

/** Replaces the settings of a consumer. */
export async function changeConsumer(call: Call): Promise<Response> {
  const { queue, consumer } = await consumerOf(call);
  const request = await consumerRequest(call, queue);
  const changed = await queueDirectory(call.env).changeConsumer(queue.id, consumer.id, request);
  if (changed === null) throw consumerNotFound(queue, consumer.id);
  await queueBroker(call.env, queue.id).wake();
  return success(shownConsumer(queue, changed));
}

/** Removes a consumer. The messages stay. */
export async function deleteConsumer(call: Call): Promise<Response> {
  const { queue, consumer } = await consumerOf(call);
  await queueDirectory(call.env).removeConsumer(queue.id, consumer.id);
  return success(null);
}

/** The queue of the path. Refuses one that does not exist. */
export async function queueOf(call: Call): Promise<Queue> {
  const id = parameter(call, "queue");
  const queue = await queueDirectory(call.env).find({ id });
  if (queue !== null) return queue;
  throw queueNotFound(id);
}

async function consumerOf(call: Call): Promise<{ queue: Queue; consumer: QueueConsumer }> {
  const queue = await queueOf(call);
  const id = parameter(call, "consumer");
  if (queue.consumer?.id === id) return { queue, consumer: queue.consumer };
  throw consumerNotFound(queue, id);
}

async function consumerRequest(call: Call, queue: Queue) {
  const request = readConsumer(queue.name, await jsonObjectBody(call));
  if (request.script === null) return request;
  const address = accountAddress(request.script);
  if ((await call.var.platform.store.script(address)) === null) throw scriptNotFound(address);
  return request;
}

async function shown(call: Call, queue: Queue) {
  return shownQueue(queue, await call.var.platform.store.queueProducers());
}

function shownQueue(queue: Queue, allProducers: readonly QueueProducer[]): Record<string, unknown> {
  const { id, name, created, modified, settings, consumer } = queue;
  const producers = allProducers.filter(({ queueName }) => queueName === name);
  return {
    queue_id: id,
    queue_name: name,
    created_on: created,
    modified_on: modified,
    settings,
    producers_total_count: producers.length,
    producers: producers.map(shownProducer),
    consumers_total_count: consumer === null ? 0 : 1,
    consumers: consumer === null ? [] : [shownConsumer(queue, consumer)],
  };
}

function shownProducer(producer: QueueProducer): Record<string, unknown> {
  const { script, namespace } = producer;
  return { type: "worker", script, ...(isAccountWorker(producer) ? {} : { dispatch_namespace: namespace }) };
}

/** wrangler reads `script`, and the SDK `script_name`. */
function shownConsumer(queue: Queue, { id, type, script, deadLetterQueue, settings, created }: QueueConsumer) {
  const { visibility_timeout_ms, max_wait_time_ms, max_concurrency, ...common } = settings;
  return {
    consumer_id: id,
    type,
    queue_name: queue.name,
    queue_id: queue.id,
    created_on: created,
    dead_letter_queue: deadLetterQueue ?? "",
    ...(script === null ? {} : { script, script_name: script }),
    settings: type === "worker" ? { ...common, max_wait_time_ms, max_concurrency } : { ...common, visibility_timeout_ms },
  };
}

function checkedName(name: unknown): string {
  if (typeof name === "string" && NAME.test(name)) return name;
  throw new Refusal(
    "BODY_INVALID",
    `\`queue_name\` is ${JSON.stringify(name)?.slice(0, 150)}. Use 1 to 63 letters, digits and dashes, and begin with a letter or a digit.`,
  );
}

function nameTaken(name: string): Refusal {
  return new Refusal("QUEUE_NAME_TAKEN", `Queue name '${name}' is already taken. Please use a different name and try again.`);
}

function queueNotFound(id: string): Refusal {
  const shown = JSON.stringify(id.slice(0, 150));
  return new Refusal("QUEUE_NOT_FOUND", `There is no queue with the id ${shown}. \`wrangler queues list\` shows the ids.`);
}

function consumerNotFound(queue: Queue, id: string): Refusal {
  return new Refusal("QUEUE_NOT_FOUND", `The queue ${queue.name} has no consumer with the id ${JSON.stringify(id.slice(0, 150))}.`);
}
