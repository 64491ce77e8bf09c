import type { Binding } from "../binding.ts";
import type { BindingKind } from "../kind.ts";
import { type StorageAddress, checkStorageId } from "../storage.ts";
import argumentsModule from "../arguments.isolate.js";
import namespaceModule from "./namespace.isolate.js";

/** A KV namespace. */
export const kvNamespace: BindingKind<Extract<Binding, { type: "kv_namespace" }>> = {
  read(fields) {
    const id = fields.text("namespace_id");
    checkStorageId(fields.name, "namespace_id", id);
    return { type: "kv_namespace", name: fields.name, namespace_id: id };
  },
  value({ namespace_id: id }, { platform }) {
    const props: StorageAddress = { kind: "kv", id };
    return platform.entrypoint("StorageObject", props);
  },
  setup: namespaceModule,
  imports: { "../arguments.isolate.js": argumentsModule },
};
