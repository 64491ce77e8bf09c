import { connect } from "cloudflare:sockets";
import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import type { Environment } from "../environment.ts";
import { letOthersRun } from "../event-loop.ts";
import { bearer } from "../rest/access.ts";
import { restApi } from "../rest/app.ts";
import { isKnownToken } from "../rest/permissions.ts";
import { NAMES } from "./names.ts";

/** The host of Cloudflare's API. */
const CLOUDFLARE_API = "api.cloudflare.com";

/** Hosts that the dispatch Worker serves. */
const DISPATCHED = /\.do\.?$/i;

/**
 * Receives everything that the isolate of a user Worker sends. A request for a host under `.do` goes to the dispatch Worker of this
 * machine, a call of Cloudflare's API with a token of this platform goes to its REST API, and every other request goes out.
 */
export class Outbound extends WorkerEntrypoint<Environment> {
  override async fetch(request: Request): Promise<Response> {
    await letOthersRun();
    const url = new URL(request.url);
    if (url.hostname === CLOUDFLARE_API && (await isKnownToken(bearer(request), this.env))) {
      return await restApi().fetch(request, this.env, this.ctx);
    }
    if (!DISPATCHED.test(url.hostname)) return await fetch(request);
    const depth = Number(request.headers.get(NAMES.depthHeader) ?? url.searchParams.get(NAMES.depthQuery) ?? Number.NaN);
    if (Number.isNaN(depth)) {
      // The isolate counts the requests of every API. The runtime's own requests have no count.
      const text =
        `The Worker threw an exception after passThroughOnException, and on this machine ${url.hostname} has no origin server; ` +
        "or a host outside of the platform redirects to it, which Workers do not follow here: fetch its URL.\n";
      return new Response(text, { status: 502, headers: { "cache-control": "no-store" } });
    }
    // The dispatch Worker and the Worker that it calls.
    if (depth + 2 > NAMES.maxInvocations) throw new Error(NAMES.depthExceeded);
    if (url.searchParams.has(NAMES.depthQuery)) url.searchParams.delete(NAMES.depthQuery);
    const counted = new Request(url, request);
    counted.headers.set(NAMES.depthHeader, String(depth + 1));
    return await this.env.DISPATCHER.fetch(counted);
  }

  /** Relays a connection without TLS. The runtime does not relay connections with TLS, so `cloudflare:sockets` calls `open`. */
  override async connect(socket: Socket): Promise<void> {
    const { localAddress } = await socket.opened;
    const remote = connectOut(localAddress ?? "", { allowHalfOpen: true });
    await Promise.all([socket.readable.pipeTo(remote.writable), remote.readable.pipeTo(socket.writable)]);
  }

  /** Opens a connection for `sockets.isolate.js`. */
  open(address: SocketAddress | string, options: SocketOptions): HostSocket {
    return new HostSocket(connectOut(address, options));
  }
}

function connectOut(address: SocketAddress | string, options: SocketOptions): Socket {
  const host = typeof address === "string" ? new URL(`tcp://${address}`).hostname : address.hostname;
  if (DISPATCHED.test(host)) {
    throw new Error(`connect: ${host} is a host of the platform, and Workers reach those by fetch only.`);
  }
  return connect(address, options);
}

/** A connection, as the isolate of a user Worker sees it over RPC. Reads and writes are calls, so that `startTls` finds none under way. */
class HostSocket extends RpcTarget {
  readonly #socket: Socket;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    this.#reader = socket.readable.getReader();
    this.#writer = socket.writable.getWriter();
  }

  async opened(): Promise<SocketInfo> {
    return await this.#socket.opened;
  }

  async closed(): Promise<void> {
    await this.#socket.closed;
  }

  /** The next bytes; `null` at the end. */
  async read(): Promise<Uint8Array | null> {
    const { value, done } = await this.#reader.read();
    return done ? null : value;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#writer.write(bytes);
  }

  /** Ends the writing side. */
  async end(): Promise<void> {
    await this.#writer.close();
  }

  async close(): Promise<void> {
    await this.#socket.close();
  }

  startTls(options?: TlsOptions): HostSocket {
    this.#reader.releaseLock();
    this.#writer.releaseLock();
    return new HostSocket(this.#socket.startTls(options));
  }
}
