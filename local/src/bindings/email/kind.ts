import { Refusal } from "../../refusal.ts";
import type { Binding } from "../binding.ts";
import type { BindingFields, BindingKind } from "../kind.ts";
import emailModule from "./send-email.isolate.js";
import type { SendEmailProps } from "./sender.ts";

/** Sending of e-mail: a message is checked and stored, and nothing sends it. */
export const sendEmail: BindingKind<Extract<Binding, { type: "send_email" }>> = {
  read(fields) {
    const destination = fields.value("destination_address");
    if (destination !== undefined && typeof destination !== "string") {
      throw new Refusal("BINDING_INVALID", `\`destination_address\` of the binding ${fields.name} must be a string.`);
    }
    const destinations = addresses(fields, "allowed_destination_addresses");
    const senders = addresses(fields, "allowed_sender_addresses");
    return {
      type: "send_email",
      name: fields.name,
      ...(destination === undefined ? {} : { destination_address: destination }),
      ...(destinations === undefined ? {} : { allowed_destination_addresses: destinations }),
      ...(senders === undefined ? {} : { allowed_sender_addresses: senders }),
    };
  },
  value(binding, { platform, address }) {
    const props: SendEmailProps = {
      ...address,
      type: "send_email",
      binding: binding.name,
      target: "",
      destinations: binding.destination_address ? [binding.destination_address] : (binding.allowed_destination_addresses ?? null),
      senders: binding.allowed_sender_addresses ?? null,
    };
    return platform.entrypoint("SendEmail", props);
  },
  setup: emailModule,
};

function addresses(fields: BindingFields, field: string): readonly string[] | undefined {
  const value = fields.value(field);
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.every((address) => typeof address === "string")) return value as string[];
  throw new Refusal("BINDING_INVALID", `\`${field}\` of the binding ${fields.name} must be a list of addresses.`);
}
