import type { Environment } from "../../environment.ts";
import { recordedInvocation } from "../../invocations.ts";
import { scriptIsolate } from "../../isolate/isolates.ts";
import { NAMES } from "../../isolate/names.ts";
import { type Platform, platform } from "../../platform.ts";
import { CALLED_HEADER, isCalled } from "./addresses.ts";
import { type LiveClass, liveClass, liveVersionOf } from "./live-classes.ts";
import { DurableObject } from "cloudflare:workers";

/** The name of the one facet that a host has. */
const FACET = "object";
/** The key under which the host stores {@link Started}. Before, it stored only the version. */
const STARTED = "running version";

/** What the facet was last started with. */
interface Started {
  readonly version: string;
  /** The name of the object, if a caller used a name. */
  readonly name: string | null;
}

/**
 * The host of one Durable Object of a user Worker. Its name is `{storage}/{id}`. The object is a facet, whose class is in the isolate of
 * the live version and whose data the runtime stores with the host. A new version restarts the facet, as a deploy does on Cloudflare. The
 * host has the object's alarm, because the runtime gives none to a facet.
 */
export class ObjectHost extends DurableObject<Environment> {
  readonly #platform: Platform;
  readonly #storage: string;
  readonly #id: string;

  constructor(context: DurableObjectState, environment: Environment) {
    super(context, environment);
    this.#platform = platform(environment, context);
    [this.#storage = "", this.#id = ""] = (context.id.name ?? "").split("/");
    const facet = (called: string) => this.#facet(called);
    return new Proxy(this, {
      // The second part of the path of a call.
      get(target, property) {
        if (typeof property === "string" && isCalled(property)) return facet(property);
        const member: unknown = Reflect.get(target, property, target);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
  }

  /** Passes a request to the object. */
  override async fetch(request: Request): Promise<Response> {
    const passed = new Request(request);
    const called = passed.headers.get(CALLED_HEADER) ?? "unnamed";
    for (const header of [CALLED_HEADER, NAMES.alarmHeader]) passed.headers.delete(header);
    const live = await this.#liveClass();
    const run = () => this.#facet(called).fetch(passed);
    return live === null ? await run() : await recordedInvocation(this.#platform, { kind: "object", ...live }, run);
  }

  /** Runs the object's handler of the alarm. If it throws, the runtime calls this again: up to six times, after 2 s, 4 s and so on. */
  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    const live = await this.#liveClass();
    // The script or the class was deleted.
    if (live === null) return;
    const { retryCount = 0, isRetry = false } = info ?? {};
    const headers = { [NAMES.alarmHeader]: JSON.stringify({ retryCount, isRetry }) };
    const run = () => this.#facet("unnamed").fetch("http://alarm/", { headers });
    await recordedInvocation(this.#platform, { kind: "alarm", ...live }, run);
  }

  /** The object's alarm, in milliseconds since 1970; `null` if it has none. */
  async getAlarmOfObject(): Promise<number | null> {
    return await this.ctx.storage.getAlarm();
  }

  /** Sets the object's alarm, or removes it, and stores that. */
  async setAlarmOfObject(time: number | null): Promise<void> {
    if (time === null) await this.ctx.storage.deleteAlarm();
    else await this.ctx.storage.setAlarm(time);
    await this.ctx.storage.sync();
  }

  async #liveClass(): Promise<LiveClass | null> {
    return await liveClass(this.#platform, this.#storage);
  }

  /** The object. It runs in the live version, and is restarted if it ran in another one. */
  #facet(called: string): Fetcher {
    const { kv } = this.ctx.storage;
    const stored = kv.get<Started | string>(STARTED);
    // The facet can run longer than this instance of the host, so the host stores what it started.
    const started = typeof stored === "string" ? { version: stored, name: null } : stored;
    const name = called === "unnamed" ? (started?.name ?? null) : decodeURIComponent(called.slice("named ".length));
    const live = liveVersionOf(this.#storage);
    if (started === undefined) {
      // The REST API lists the objects.
      this.ctx.waitUntil(this.#platform.store.recordObject(this.#storage, this.#id));
    }
    if (live !== undefined && started?.version !== live) {
      this.ctx.facets.abort(FACET, new Error("Durable Object reset because its code was updated."));
    }
    const start = (version: string) => {
      if (started?.version !== version || started.name !== name) kv.put<Started>(STARTED, { version, name });
    };
    if (typeof live === "string") start(live);
    return this.ctx.facets.get(FACET, async () => {
      const running = await this.#liveClass();
      if (running === null) {
        this.#forgetFacet();
        throw new Error("The Durable Object's class does not exist any more: its Worker or its class was deleted.");
      }
      start(running.version);
      const alarms = this.#platform.entrypoint("ObjectAlarms", { host: `${this.#storage}/${this.#id}` });
      const props = { [NAMES.objectProps]: { id: this.#id, name, alarms } };
      const isolate = scriptIsolate(this.#platform, running);
      return { class: isolate.getDurableObjectClass(running.className, { props }), id: this.#id };
    });
  }

  /** Lets the next request start the facet again. */
  #forgetFacet(): void {
    this.ctx.waitUntil(
      scheduler.wait(0).then(() => this.ctx.facets.abort(FACET, new Error("The Durable Object did not start."))),
    );
  }
}
