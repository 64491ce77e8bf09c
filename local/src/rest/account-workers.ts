import { WORKERS_DEV } from "../account-workers.ts";
import { recordedSettings } from "../deploy/metadata.ts";
import { changeExisting } from "../deploy/script-change.ts";
import { readTags } from "../deploy/tags.ts";
import { Refusal } from "../refusal.ts";
import { ACCOUNT_NAMESPACE, type ScriptVersion, type StoredScript } from "../script.ts";
import type { AccountWorker } from "../store/account-workers.ts";
import { checkTailConsumers, tailConsumers } from "../tail-consumers.ts";
import { type Call, addressOf, jsonObjectBody, scriptOf } from "./call.ts";
import { success } from "./envelope.ts";
import { shownScript } from "./scripts.ts";

/** The account Workers by name. */
export async function listWorkers(call: Call): Promise<Response> {
  const workers = await call.var.platform.store.scripts(ACCOUNT_NAMESPACE, "");
  return success(workers.map(shownScript), { info: { count: workers.length, per_page: workers.length } });
}

/** A Worker with its one environment, `production`. */
export async function getService(call: Call): Promise<Response> {
  const script = await scriptOf(call);
  const { tag } = await workerOf(call);
  const environment = {
    environment: "production",
    created_on: script.createdOn,
    modified_on: script.modifiedOn,
    script: { ...shownScript(script), tag, last_deployed_from: "wrangler" },
  };
  return success({
    id: script.script,
    default_environment: environment,
    environments: [environment],
    created_on: script.createdOn,
    modified_on: script.modifiedOn,
    usage_model: "standard",
  });
}

/** A Worker with its address. */
export async function getWorker(call: Call): Promise<Response> {
  const script = await scriptOf(call);
  const worker = await workerOf(call);
  return success({
    id: worker.tag,
    name: script.script,
    created_on: script.createdOn,
    updated_on: script.modifiedOn,
    tags: script.version.tags,
    subdomain: { ...shownAddress(worker), url: `http://${script.script}.${WORKERS_DEV}` },
  });
}

/** What refers to a Worker: wrangler asks before it deletes one. */
export async function getReferences(call: Call): Promise<Response> {
  const { script } = addressOf(call);
  const referring = await scriptsThat(call, ({ bindings }) =>
    bindings.some((binding) => binding.type === "service" && binding.service === script),
  );
  const incoming = referring
    .filter((other) => other.namespace !== ACCOUNT_NAMESPACE || other.script !== script)
    .map((other) => ({ name: shownName(other), service: shownName(other), environment: "production" }));
  return success({ services: { incoming, outgoing: [], pages_function: false }, durable_objects: [], dispatch_outbounds: [] });
}

/** The Workers whose tails a Worker gets. */
export async function listTailProducers(call: Call): Promise<Response> {
  const { script } = addressOf(call);
  const producers = await scriptsThat(call, (version) => tailConsumers(version.settings).includes(script));
  return success(
    producers.map((producer) => ({
      consumer: { service: script, environment: "production" },
      producer: { service: shownName(producer), environment: "production" },
      created_on: producer.createdOn,
    })),
  );
}

/** Whether the Worker has an address at workers.dev. */
export async function getAddress(call: Call): Promise<Response> {
  return success(shownAddress(await workerOf(call)));
}

/** Enables or disables the address: `{enabled, previews_enabled}`. */
export async function setAddress(call: Call): Promise<Response> {
  const { script } = await scriptOf(call);
  const before = await workerOf(call);
  const body = await jsonObjectBody(call);
  const workersDev = flag(body, "enabled") ?? before.workersDev;
  if (workersDev && (await call.var.platform.store.emptyAccount())?.subdomain === null) {
    throw new Refusal("SUBDOMAIN_MISSING", "You need to register a workers.dev subdomain before publishing to workers.dev.");
  }
  const previews = flag(body, "previews_enabled") ?? before.previews;
  await call.var.platform.store.setWorkerAddress(script, workersDev, previews);
  return success(shownAddress({ workersDev, previews }));
}

/** Disables the address. */
export async function disableAddress(call: Call): Promise<Response> {
  const { script } = await scriptOf(call);
  await call.var.platform.store.setWorkerAddress(script, false, false);
  return success(shownAddress({ workersDev: false, previews: false }));
}

/** The subdomain of the account. wrangler prints `NAME.local.workers.dev`; the address on this machine is `NAME.workers.dev.localhost`. */
export async function getAccountSubdomain({ var: { platform } }: Call): Promise<Response> {
  const account = await platform.store.emptyAccount();
  if (account === null) return success({ subdomain: "local" });
  if (account.subdomain !== null) return success({ subdomain: account.subdomain });
  throw new Refusal("SUBDOMAIN_NOT_FOUND", "There is no workers.dev subdomain for this account yet.");
}

/** Registers the subdomain: `{subdomain}`. */
export async function registerSubdomain(call: Call): Promise<Response> {
  const { store } = call.var.platform;
  const account = await store.emptyAccount();
  const { subdomain } = await jsonObjectBody(call);
  if (typeof subdomain !== "string" || !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(subdomain)) {
    throw new Refusal("BODY_INVALID", "`subdomain` must be 1 to 63 letters, digits and dashes.");
  }
  if (account === null || account.subdomain !== null) {
    throw new Refusal("SUBDOMAIN_EXISTS", "The account has a workers.dev subdomain already.");
  }
  await store.setEmptyAccount({ ...account, subdomain });
  return success({ subdomain });
}

/** The settings that belong to the script and not to its versions. */
export async function getScriptSettings(call: Call): Promise<Response> {
  const { version } = await scriptOf(call);
  return success(shownScriptSettings(version));
}

/** Changes settings that belong to the script: tags, tail consumers, Logpush, observability. */
export async function patchScriptSettings(call: Call): Promise<Response> {
  const script = await scriptOf(call);
  const settings = await jsonObjectBody(call);
  const tags = settings["tags"] === undefined || settings["tags"] === null ? null : readTags(settings["tags"]);
  const changed = recordedSettings(settings);
  await checkTailConsumers(call.var.platform, changed);
  const version = await changeExisting(call.var.platform, script, async ({ version }) => {
    const next = { ...version, tags: tags ?? version.tags, settings: { ...version.settings, ...changed } };
    // The isolate of a version either has tails or not.
    const sameTails = JSON.stringify(tailConsumers(next.settings)) === JSON.stringify(tailConsumers(version.settings));
    return sameTails ? next : { ...next, id: crypto.randomUUID() };
  });
  return success(shownScriptSettings(version));
}

function shownScriptSettings({ settings, tags }: ScriptVersion): Record<string, unknown> {
  const { logpush = false, observability = { enabled: false }, tail_consumers = [] } = settings;
  return { logpush, observability, tail_consumers, tags };
}

/** The Worker of the path. Refuses one that does not exist. */
async function workerOf(call: Call): Promise<AccountWorker> {
  const { script } = await scriptOf(call);
  const worker = await call.var.platform.store.accountWorker(script);
  if (worker === null) throw new Error(`the account Worker ${script} has no record`);
  return worker;
}

async function scriptsThat({ env, var: { platform } }: Call, matches: (version: ScriptVersion) => boolean): Promise<StoredScript[]> {
  const namespaces = [ACCOUNT_NAMESPACE, ...env.NAMESPACES.map(({ name }) => name)];
  const scripts = await Promise.all(namespaces.map((namespace) => platform.store.scripts(namespace, "")));
  return scripts.flat().filter(({ version }) => matches(version));
}

function shownName({ namespace, script }: StoredScript): string {
  return namespace === ACCOUNT_NAMESPACE ? script : `${script} (${namespace})`;
}

function shownAddress({ workersDev, previews }: Pick<AccountWorker, "workersDev" | "previews">): Record<string, unknown> {
  return { enabled: workersDev, previews_enabled: previews };
}

function flag(body: Readonly<Record<string, unknown>>, name: string): boolean | null {
  const value = body[name];
  if (value === undefined || value === null) return null;
  if (typeof value === "boolean") return value;
  throw new Refusal("BODY_INVALID", `\`${name}\` must be true or false.`);
}
