import type { Environment } from "./environment.ts";
import { type Query, writePositions } from "./query.ts";
import { type Part, logsOf } from "./read.ts";
import type { Message } from "./subscribers.ts";
import type { Followed } from "./worker-log.ts";

/** How often a stream without events gets a comment, so that no proxy closes it, and a lost client is noticed. In milliseconds. */
const PING_MS = 15_000;

/** How long a stream lasts, in milliseconds. A client that connects again is authorized again. */
const MAX_STREAM_MS = 15 * 60 * 1000;

/**
 * The events of a Worker as they come, as server-sent events. The id of each is the position after which the next stream continues, and
 * the first comment has the id at which this one begins.
 */
export async function follow(environment: Environment, namespace: string, worker: string, query: Query): Promise<Response> {
  const logs = logsOf(environment, namespace, worker);
  const { filter, cursor } = query;
  const [own, shared] = await Promise.all([
    logs.own.follow(cursor?.own ?? null, filter),
    logs.shared.follow(cursor?.shared ?? null, { ...filter, worker }),
  ]);
  const { readable, writable } = new IdentityTransformStream();
  void send({ own, shared }, writable.getWriter());
  return new Response(readable, { headers: { "content-type": "text/event-stream" } });
}

async function send(
  logs: Readonly<Record<Part, Followed>>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  const positions = { own: logs.own.start, shared: logs.shared.start };
  const encoder = new TextEncoder();
  // One after the other, so that a slow client slows both logs down.
  let written: Promise<void> = Promise.resolve();
  const write = (text: string) => (written = written.then(() => writer.write(encoder.encode(text))));
  const readers = (["own", "shared"] as const).map((part) => ({ part, reader: logs[part].messages.getReader() }));
  const end = async () => {
    clearInterval(ping);
    clearTimeout(limit);
    await Promise.allSettled([...readers.map(({ reader }) => reader.cancel()), writer.close()]);
  };
  const ping = setInterval(() => void write(": the stream is open\n\n").catch(end), PING_MS);
  const limit = setTimeout(() => void end(), MAX_STREAM_MS);
  try {
    await write(`id: ${writePositions(positions)}\n: events follow\n\n`);
    await Promise.all(
      readers.map(async ({ part, reader }) => {
        for await (const messages of received(reader)) {
          // Many events are one write: a client that follows a busy Worker would fall behind.
          let text = "";
          for (const message of messages) {
            if ("at" in message) positions[part] = message.at;
            else if ("event" in message) {
              positions[part] = message.position;
              text += `id: ${writePositions(positions)}\nevent: log\ndata: ${JSON.stringify(message.event)}\n\n`;
            } else if (part === "own") text += `event: dropped\ndata: ${JSON.stringify({ events: message.dropped })}\n\n`;
          }
          if (text !== "") await write(text);
        }
      }),
    );
  } catch {
    // The client has left, or an object moves: the client connects again.
  } finally {
    await end();
  }
}

/** The messages of a log, as they arrive: each is a line of JSON. */
async function* received(reader: ReadableStreamDefaultReader<Uint8Array>): AsyncGenerator<Message[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield lines.map((line) => JSON.parse(line) as Message);
  }
}
