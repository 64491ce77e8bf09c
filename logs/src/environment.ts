import type { WorkerLog } from "./worker-log.ts";

/** The bindings of the logs Worker. */
export interface Environment {
  /** The logs, by their names: `names.ts`. */
  readonly LOGS: DurableObjectNamespace<WorkerLog>;
}
