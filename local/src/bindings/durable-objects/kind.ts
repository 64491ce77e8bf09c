import { Refusal } from "../../refusal.ts";
import type { Binding } from "../binding.ts";
import type { BindingFields, BindingKind, BoundWorker } from "../kind.ts";
import type { ObjectNamespaceProps } from "./addresses.ts";
import namespaceModule from "./namespace.isolate.js";

/** The Durable Objects of a class of the Worker itself. */
export const durableObjectNamespace: BindingKind<Extract<Binding, { type: "durable_object_namespace" }>> = {
  read(fields) {
    checkIsOwn(fields);
    return { type: "durable_object_namespace", name: fields.name, class_name: fields.text("class_name") };
  },
  value({ name, class_name: className }, worker) {
    const storage = worker.version.objectClasses[className];
    if (storage === undefined) throw new Error(`the class ${className} of ${name} has no storage`);
    return namespaceStub(worker, storage);
  },
  setup: namespaceModule,
};

/** A stub for each Durable Object class of a version: `object.isolate.js` makes the namespaces in `ctx.exports` from them. */
export function namespaceStubs(worker: BoundWorker): Record<string, Fetcher> {
  const classes = Object.entries(worker.version.objectClasses);
  return Object.fromEntries(classes.map(([name, storage]) => [name, namespaceStub(worker, storage)]));
}

function namespaceStub({ platform, address }: BoundWorker, storage: string): Fetcher {
  const { namespace, script } = address;
  const props: ObjectNamespaceProps = { namespace, script, storage };
  return platform.entrypoint("ObjectNamespace", props);
}

function checkIsOwn(fields: BindingFields): void {
  const script = fields.value("script_name");
  if (script !== undefined) {
    throw new Refusal(
      "NOT_SIMULATED",
      `The binding ${fields.name} is for a Durable Object of the script ${JSON.stringify(script)}. The local platform ` +
        "simulates only the Durable Objects that a Worker defines itself: remove `script_name`.",
    );
  }
  const elsewhere = fields.value("namespace_id") ?? fields.value("environment");
  if (elsewhere !== undefined && fields.value("class_name") === undefined) {
    throw new Refusal(
      "NOT_SIMULATED",
      `The binding ${fields.name} is for a Durable Object namespace of another script. The local platform simulates ` +
        "only the Durable Objects that a Worker defines itself: bind to a class of this Worker by `class_name`.",
    );
  }
}
