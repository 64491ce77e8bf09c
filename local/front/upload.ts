/** How long the rest of a request may pause, in milliseconds. */
const PAUSE = 200;

/**
 * The body of a request with a length on its way to a Worker. If the Worker answers without reading it, the rest is still received and discarded.
 * Otherwise the runtime closes the connection while the client sends, and the client loses the response.
 */
export class Upload {
  /** What the Worker reads. */
  readonly readable: ReadableStream;
  readonly #received: Promise<void>;
  readonly #stopped: Promise<void>;
  #stop: () => void = () => undefined;
  #isStopped = false;
  #isComplete = false;
  /** Whether nothing more is received. */
  #isEnded = false;
  #chunks = 0;

  /**
   * The upload of a request, or `null` if its body must pass unchanged. Without a `Content-Length`, the Worker would take the end of an
   * upload that the client breaks off for the end of the body. GET and HEAD cannot be constructed with a body.
   */
  static of({ body, headers, method }: Request, context: ExecutionContext): Upload | null {
    const length = headers.get("content-length");
    if (body === null || length === null || method === "GET" || method === "HEAD") return null;
    return new Upload(body, Number(length), context);
  }

  private constructor(source: ReadableStream<Uint8Array>, length: number, context: ExecutionContext) {
    const passed = new FixedLengthStream(length);
    this.readable = passed.readable;
    this.#stopped = new Promise((resolve) => {
      this.#stop = () => {
        this.#isStopped = true;
        resolve();
      };
    });
    this.#received = this.#receive(source.getReader(), passed.writable.getWriter());
    // After a disconnect of the client, the runtime would otherwise end this request before the error reaches the Worker.
    context.waitUntil(this.#received);
  }

  /** The response of the Worker. Its content passes at once, and it ends after the request. */
  async answered(response: Response, context: ExecutionContext): Promise<Response> {
    if (this.#isComplete) return response;
    if (response.body === null) {
      await this.#discard();
      return response;
    }
    const { readable, writable } = new IdentityTransformStream();
    const passing = response.body.pipeTo(writable, { preventClose: true }).then(async () => {
      await this.#discard();
      await writable.close();
    });
    context.waitUntil(passing.catch(() => undefined));
    const passed = new Response(readable, response);
    // With a length, the response would end for the client, and for the runtime, before the request.
    passed.headers.delete("content-length");
    return passed;
  }

  /** Discards the rest. Does not wait for a client that sends nothing more: curl stops when it sees an error status. */
  async #discard(): Promise<void> {
    this.#stop();
    let before: number;
    do {
      before = this.#chunks;
      await Promise.race([this.#received, scheduler.wait(PAUSE)]);
    } while (!this.#isEnded && this.#chunks > before);
  }

  async #receive(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    writer: WritableStreamDefaultWriter<Uint8Array>,
  ): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        this.#chunks += 1;
        // A write waits until the Worker reads, so it may never end.
        if (!this.#isStopped) await Promise.race([writer.write(value).catch(this.#stop), this.#stopped]);
      }
      this.#isComplete = true;
      if (!this.#isStopped) await Promise.race([writer.close().catch(this.#stop), this.#stopped]);
    } catch (cause) {
      // The client is gone.
      writer.abort(cause).catch(() => undefined);
    } finally {
      this.#isEnded = true;
    }
  }
}
