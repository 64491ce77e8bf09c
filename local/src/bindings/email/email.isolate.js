// The module `cloudflare:email`, which the runtime does not provide in a loaded isolate.

/** A message as bytes or text in the format of RFC 5322. */
export class EmailMessage {
  #from;
  #to;
  constructor(from, to, raw) {
    if (arguments.length < 3) throw new TypeError("EmailMessage needs a sender, a recipient and the raw message.");
    this.#from = String(from);
    this.#to = String(to);
    // The symbol under which the binding finds the message.
    Object.defineProperty(this, Symbol.for("local platform: raw email"), { value: raw });
  }
  get from() {
    return this.#from;
  }
  get to() {
    return this.#to;
  }
}
