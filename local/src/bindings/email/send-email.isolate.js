// The e-mail binding that a script sees. It reads the message, and the host entrypoint `SendEmail` checks and stores it.

/** Returns the binding for the stub of a host entrypoint. */
export default function sendEmail(host) {
  return new SendEmail(host);
}

class SendEmail {
  #host;
  constructor(host) {
    this.#host = host;
  }

  async send(message) {
    if (typeof message !== "object" || message === null) throw new TypeError("send() takes an EmailMessage or its parts.");
    const raw = message[Symbol.for("local platform: raw email")];
    if (raw === undefined) return await this.#host.sendParts({ ...message });
    return await this.#host.sendRaw(message.from, message.to, await new Response(raw).arrayBuffer());
  }
}
