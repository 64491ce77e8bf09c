// The module `cloudflare:sockets` of a user Worker. Everything that an isolate sends goes through the host entrypoint `Outbound`, for
// which the runtime supports no TLS. So the host opens the connections, and this module presents them as sockets.
import { env } from "cloudflare:workers";
import names from "./__local_platform__names.js";

const host = env[names.stubs.sockets];
delete env[names.stubs.sockets];

/** Opens a TCP connection, as the runtime's `connect` does. */
export function connect(address, options = {}) {
  const plain = typeof address === "string" ? address : { hostname: address.hostname, port: address.port };
  if (typeof plain !== "string" && (typeof plain.hostname !== "string" || !(plain.port > 0 && plain.port < 65536))) {
    throw new TypeError("The value of 'port' is invalid in an address.");
  }
  if (typeof plain === "string" && !/:\d+$/.test(plain)) {
    throw new TypeError("Specified address is missing port.");
  }
  return new Socket(host.open(plain, { ...options }), options.secureTransport ?? "off");
}

class Socket {
  #remote;
  #upgraded = false;

  constructor(remote, secureTransport) {
    this.#remote = remote;
    this.secureTransport = secureTransport;
    this.opened = remote.opened();
    this.closed = remote.closed();
    for (const promise of [this.opened, this.closed]) promise.catch(() => undefined);
    this.readable = new ReadableStream(
      {
        type: "bytes",
        async pull(controller) {
          const bytes = await remote.read();
          if (bytes !== null) return controller.enqueue(bytes);
          controller.close();
          controller.byobRequest?.respond(0);
        },
        cancel: () => remote.close(),
      },
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream({
      write: (bytes) => remote.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : new Uint8Array(bytes)),
      close: () => remote.end(),
      abort: () => remote.close(),
    });
  }

  /** Whether the connection was replaced by one with TLS. */
  get upgraded() {
    return this.#upgraded;
  }

  async close() {
    await this.#remote.close();
  }

  startTls(options) {
    if (this.secureTransport !== "starttls") throw new TypeError("secureTransport must be set to 'starttls' when socket is opened.");
    this.#upgraded = true;
    return new Socket(this.#remote.startTls(options), "on");
  }
}
