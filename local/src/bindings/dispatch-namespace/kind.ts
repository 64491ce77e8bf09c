import type { Binding } from "../binding.ts";
import type { BindingKind } from "../kind.ts";

/** A dispatch namespace. Its `get` returns a promise of the Worker here, and on Cloudflare the Worker. */
export const dispatchNamespace: BindingKind<Extract<Binding, { type: "dispatch_namespace" }>> = {
  read(fields) {
    return { type: "dispatch_namespace", name: fields.name, namespace: fields.text("namespace") };
  },
  value({ namespace }, { platform }) {
    return platform.entrypoint("Namespace", { namespace });
  },
};
