import type { Binding } from "../binding.ts";
import type { BindingKind } from "../kind.ts";
import type { ReceivingBinding } from "../received.ts";
import datasetModule from "./dataset.isolate.js";

/** A data set of Analytics Engine: the points are stored, and there is no SQL for them. */
export const analyticsEngine: BindingKind<Extract<Binding, { type: "analytics_engine" }>> = {
  read: (fields) => ({ type: "analytics_engine", name: fields.name, dataset: fields.text("dataset") }),
  value({ type, name, dataset }, { platform, address }) {
    const props: ReceivingBinding = { ...address, type, binding: name, target: dataset };
    return platform.entrypoint("Receiver", props);
  },
  setup: datasetModule,
};
