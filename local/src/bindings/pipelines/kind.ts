import { Refusal } from "../../refusal.ts";
import type { Binding } from "../binding.ts";
import type { BindingKind } from "../kind.ts";
import type { ReceivingBinding } from "../received.ts";

/** A pipeline or a stream of Pipelines: the records are stored, and nothing writes them to a bucket. */
export const pipelines: BindingKind<Extract<Binding, { type: "pipelines" }>> = {
  read(fields) {
    const { type, name } = { type: "pipelines" as const, name: fields.name };
    if (typeof fields.value("stream") === "string") return { type, name, stream: fields.text("stream") };
    if (typeof fields.value("pipeline") === "string") return { type, name, pipeline: fields.text("pipeline") };
    throw new Refusal("BINDING_INVALID", `The binding ${name} of type pipelines needs a string \`stream\` or \`pipeline\`.`);
  },
  value({ type, name, stream, pipeline }, { platform, address }) {
    const props: ReceivingBinding = { ...address, type, binding: name, target: stream ?? pipeline ?? "" };
    return platform.entrypoint("Receiver", props);
  },
};
