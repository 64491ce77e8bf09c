import type { Environment } from "./environment.ts";
import { ownLog, sharedLog } from "./names.ts";
import { type Positioned, type Positions, type Query, writePositions } from "./query.ts";
import type { WorkerLog } from "./worker-log.ts";

/** Both logs of a Worker. */
export interface Logs {
  /** That of the Worker. */
  readonly own: DurableObjectStub<WorkerLog>;
  /** That of the namespace, with the events from when the Worker was not deployed. */
  readonly shared: DurableObjectStub<WorkerLog>;
}

/** One of the two logs. */
export type Part = keyof Logs;

/** An event with the log that has it. */
interface Entry extends Positioned {
  readonly part: Part;
}

export function logsOf({ LOGS }: Environment, namespace: string, worker: string): Logs {
  return { own: LOGS.getByName(ownLog(namespace, worker)), shared: LOGS.getByName(sharedLog(namespace)) };
}

/** A page of the events of a Worker, the newest first. */
export async function page(environment: Environment, namespace: string, worker: string, query: Query): Promise<Response> {
  const logs = logsOf(environment, namespace, worker);
  const { filter, limit, cursor } = query;
  // One more than the page has, to know whether there is another page.
  const [own, shared] = await Promise.all([
    logs.own.page(cursor?.own ?? null, filter, limit + 1),
    logs.shared.page(cursor?.shared ?? null, { ...filter, worker }, limit + 1),
  ]);
  const entries = merged(own.events, shared.events);
  const shown = entries.slice(0, limit);
  const reached = (part: Part) =>
    shown.findLast((entry) => entry.part === part)?.position ?? cursor?.[part] ?? Number.MAX_SAFE_INTEGER;
  const next: Positions = { own: reached("own"), shared: reached("shared") };
  const { events, last } = own.dropped;
  return Response.json({
    items: shown.map(({ event }) => event),
    cursor: entries.length > shown.length ? writePositions(next) : null,
    dropped: { events, last: last === null ? null : new Date(last).toISOString() },
  });
}

/**
 * The events of both logs by time. Those of one log stay in the order of their positions, which is that of their arrival, because a cursor
 * is a position.
 */
function merged(own: readonly Positioned[], shared: readonly Positioned[]): Entry[] {
  const queues = { own: [...own], shared: [...shared] };
  const entries: Entry[] = [];
  for (;;) {
    const [first, second] = [queues.own[0], queues.shared[0]];
    const part = second === undefined || (first !== undefined && first.event.time >= second.event.time) ? "own" : "shared";
    const next = queues[part].shift();
    if (next === undefined) return entries;
    entries.push({ ...next, part });
  }
}
