import { WorkerEntrypoint } from "cloudflare:workers";
import PostalMime from "postal-mime";
import type { Environment } from "../../environment.ts";
import { received, type ReceivingBinding } from "../received.ts";

/** The most bytes of a message: https://developers.cloudflare.com/email-routing/limits/ */
const MAX_BYTES = 25 * 1024 * 1024;

/** An e-mail binding and the addresses that it allows; `null` for all. */
export interface SendEmailProps extends ReceivingBinding {
  readonly destinations: readonly string[] | null;
  readonly senders: readonly string[] | null;
}

type Address = string | { readonly email: string; readonly name?: string };

/** A message in parts, as `send` takes it. */
interface MessageParts {
  readonly from: Address;
  readonly to: Address | readonly Address[];
  readonly cc?: Address | readonly Address[];
  readonly bcc?: Address | readonly Address[];
  readonly subject: string;
  readonly attachments?: readonly { readonly filename?: string; readonly type?: string; readonly content?: unknown }[];
}

/** The host entrypoint of an e-mail binding. The checks and their messages are those of miniflare. */
export class SendEmail extends WorkerEntrypoint<Environment, SendEmailProps> {
  /** Checks and stores a message in the format of RFC 5322. */
  async sendRaw(from: string, to: string, raw: ArrayBuffer): Promise<{ messageId: string }> {
    this.#checkAddresses(from, [to]);
    if (raw.byteLength > MAX_BYTES) throw new Error(`email of ${raw.byteLength} bytes exceeds the limit of ${MAX_BYTES}`);
    const message = await PostalMime.parse(raw).catch((cause: Error) => {
      throw new Error(`could not parse email: ${cause.message}`);
    });
    if (message.messageId === undefined) throw new Error("invalid message-id");
    if (from !== message.from?.address) throw new Error("From: header does not match mail from");
    if (message.headers.some(({ key }) => key === "received")) throw new Error("invalid headers set");
    const { subject, text, html, messageId } = message;
    const attachments = message.attachments.map(({ filename, mimeType }) => ({ filename, type: mimeType }));
    await this.#store({ from, to: [to], subject, text, html, attachments, raw: new TextDecoder().decode(raw) });
    return { messageId };
  }

  /** Checks and stores a message in parts. */
  async sendParts(message: MessageParts): Promise<{ messageId: string }> {
    const from = addressOf(message.from);
    this.#checkAddresses(from, [message.to, message.cc, message.bcc].flatMap(addressesOf));
    const attachments = (message.attachments ?? []).map(({ filename, type }) => ({ filename, type }));
    await this.#store({ ...message, attachments });
    return { messageId: `<${crypto.randomUUID()}@${from.slice(from.lastIndexOf("@") + 1)}>` };
  }

  #checkAddresses(from: string, recipients: readonly string[]): void {
    const { destinations, senders } = this.ctx.props;
    if (senders !== null && !senders.includes(from)) throw new Error(`email from ${from} not allowed`);
    if (recipients.length === 0) throw new Error("email has no recipient");
    const refused = destinations === null ? undefined : recipients.find((address) => !destinations.includes(address));
    if (refused !== undefined) throw new Error(`email to ${refused} not allowed`);
  }

  async #store(message: object): Promise<void> {
    await received(this.env).add(this.ctx.props, [JSON.stringify(message)]);
  }
}

function addressesOf(addresses: Address | readonly Address[] | undefined): string[] {
  if (addresses === undefined) return [];
  return Array.isArray(addresses) ? (addresses as readonly Address[]).map(addressOf) : [addressOf(addresses as Address)];
}

function addressOf(address: Address): string {
  const text = typeof address === "string" ? address : address.email;
  return /<([^<>]+)>\s*$/.exec(text)?.[1] ?? text;
}
