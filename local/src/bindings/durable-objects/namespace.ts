import type { Environment } from "../../environment.ts";
import { NAMES } from "../../isolate/names.ts";
import { CALLED_HEADER, isCalled, type ObjectNamespaceProps } from "./addresses.ts";
import { recordStorage } from "./live-classes.ts";
import { WorkerEntrypoint } from "cloudflare:workers";

/** The id of an object. */
const ID = /^[0-9a-f]{64}$/;

/**
 * The host entrypoint of a Durable Object namespace: finds the host of an object. A call has the path `{id}/{called}/{member}…`, whose
 * first part the runtime reads here, and the rest in the host and in the object itself. So nothing has to know what a member is.
 */
export class ObjectNamespace extends WorkerEntrypoint<Environment, ObjectNamespaceProps> {
  constructor(context: ExecutionContext<ObjectNamespaceProps>, environment: Environment) {
    super(context, environment);
    recordStorage(context.props.storage, context.props);
    const host = (id: string) => this.#host(id);
    return new Proxy(this, {
      get(target, property) {
        if (typeof property === "string" && ID.test(property)) return host(property);
        const member: unknown = Reflect.get(target, property, target);
        return typeof member === "function" ? (member.bind(target) as unknown) : member;
      },
    });
  }

  override async fetch(request: Request): Promise<Response> {
    const passed = new Request(request);
    const [id = "", called = ""] = (passed.headers.get(NAMES.objectHeader) ?? "").split(/ (.*)/);
    if (!ID.test(id) || !isCalled(called)) throw new Error("the request names no object");
    passed.headers.delete(NAMES.objectHeader);
    passed.headers.set(CALLED_HEADER, called);
    return await this.#host(id).fetch(passed);
  }

  #host(id: string): DurableObjectStub {
    return this.env.OBJECTS.getByName(`${this.ctx.props.storage}/${id}`);
  }
}

/** The alarm of an object, which its host stores: what `object.isolate.js` calls. */
export class ObjectAlarms extends WorkerEntrypoint<Environment, { readonly host: string }> {
  async get(): Promise<number | null> {
    return await this.#host().getAlarmOfObject();
  }

  /** Sets the alarm, in milliseconds since 1970, or removes it. */
  async set(time: number | null): Promise<void> {
    await this.#host().setAlarmOfObject(time);
  }

  #host(): AlarmHost {
    return this.env.OBJECTS.getByName(this.ctx.props.host) as unknown as AlarmHost;
  }
}

/** The methods of the host that {@link ObjectAlarms} calls. */
interface AlarmHost {
  getAlarmOfObject(): Promise<number | null>;
  setAlarmOfObject(time: number | null): Promise<void>;
}
