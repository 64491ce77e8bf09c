import { Refusal } from "../../refusal.ts";
import { accountAddress } from "../../script.ts";
import type { Binding } from "../binding.ts";
import type { BindingFields, BindingKind, BoundWorker } from "../kind.ts";
import type { ObjectNamespaceProps } from "./addresses.ts";
import namespaceModule from "./namespace.isolate.js";

/** The Durable Objects of a class of the Worker itself, or of an account Worker. */
export const durableObjectNamespace: BindingKind<Extract<Binding, { type: "durable_object_namespace" }>> = {
  read(fields) {
    checkIsSimulated(fields);
    const binding = { type: "durable_object_namespace", name: fields.name, class_name: fields.text("class_name") } as const;
    const script = fields.value("script_name");
    return script === undefined || script === null ? binding : { ...binding, script_name: fields.text("script_name") };
  },
  value({ name, class_name: className, script_name: script, namespace_id: storage }, worker) {
    if (script !== undefined && storage !== undefined) {
      return worker.platform.entrypoint("ObjectNamespace", { ...accountAddress(script), storage } satisfies ObjectNamespaceProps);
    }
    const own = worker.version.objectClasses[className];
    if (own === undefined) throw new Error(`the class ${className} of ${name} has no storage`);
    return namespaceStub(worker, own);
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

function checkIsSimulated(fields: BindingFields): void {
  for (const member of ["dispatch_namespace", "environment"]) {
    const value = fields.value(member);
    if (value === undefined || value === null || value === "production") continue;
    throw new Refusal(
      "NOT_SIMULATED",
      `The binding ${fields.name} is for a Durable Object class with \`${member}\` ${JSON.stringify(value)}. The local platform simulates ` +
        `classes of the Worker itself and of account Workers: remove \`${member}\`.`,
    );
  }
  if (fields.value("namespace_id") !== undefined && fields.value("class_name") === undefined) {
    throw new Refusal(
      "NOT_SIMULATED",
      `The binding ${fields.name} has only the id of a Durable Object namespace. Bind to the class by \`class_name\`, and for the class of an ` +
        "account Worker by `script_name`.",
    );
  }
}
