import { Refusal } from "../../refusal.ts";
import type { Binding } from "../binding.ts";
import type { BindingFields, BindingKind } from "../kind.ts";
import type { ObjectNamespaceProps } from "./namespace.ts";
import namespaceModule from "./namespace.isolate.js";

/** The Durable Objects of a class of the Worker itself. */
export const durableObjectNamespace: BindingKind<Extract<Binding, { type: "durable_object_namespace" }>> = {
  read(fields) {
    checkIsOwn(fields);
    return { type: "durable_object_namespace", name: fields.name, class_name: fields.text("class_name") };
  },
  value({ name, class_name: className }, { platform, address, version }) {
    const storage = version.objectClasses[className];
    if (storage === undefined) throw new Error(`the class ${className} of ${name} has no storage`);
    const props: ObjectNamespaceProps = { ...address, version: version.id, className, storage };
    return platform.entrypoint("ObjectNamespace", props);
  },
  setup: namespaceModule,
};

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
