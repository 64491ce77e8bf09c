import type { Binding } from "../binding.ts";
import type { BindingKind } from "../kind.ts";
import argumentsModule from "../arguments.isolate.js";
import queueModule from "./queue.isolate.js";
import { MAX_DELAY_SECONDS, wholeNumber } from "./settings.ts";

/** A queue that a script is bound to: the props of the host entrypoint `QueueProducer`. */
export interface QueueProducerProps {
  readonly queueName: string;
}

/** A queue to which a Worker sends messages. */
export const queue: BindingKind<Extract<Binding, { type: "queue" }>> = {
  read(fields) {
    const { type, name } = { type: "queue" as const, name: fields.name };
    const delay = fields.value("delivery_delay") ?? null;
    const binding = { type, name, queue_name: fields.text("queue_name") };
    if (delay === null) return binding;
    const checked = wholeNumber("BINDING_INVALID", { delivery_delay: delay }, "delivery_delay", 0, MAX_DELAY_SECONDS, 0);
    return { ...binding, delivery_delay: checked };
  },
  value({ queue_name: queueName }, { platform }) {
    const props: QueueProducerProps = { queueName };
    return platform.entrypoint("QueueProducer", props);
  },
  setup: queueModule,
  imports: { "../arguments.isolate.js": argumentsModule },
};
