// Counts the invocations of a script that run in this isolate, so that it does not end before their `waitUntil` work.

/** How long `waitUntil` work without an end keeps the isolate, in milliseconds. The work of a canceled request never ends. */
const MAX_WORK_MS = 15 * 60 * 1000;

const running = new Map();

/** Whether a handler or `waitUntil` work of the script runs. */
export function isBusy() {
  for (const [work, since] of running) if (Date.now() - since > MAX_WORK_MS) running.delete(work);
  return running.size > 0;
}

/** The default export of a script, with handlers that are counted. `prepare` is called with the context before each. */
export function counted(exported, prepare) {
  if (typeof exported === "function") {
    return class extends exported {
      constructor(context, env) {
        observe(context, prepare);
        super(context, env);
      }
    };
  }
  const members = Object.getOwnPropertyDescriptors(exported);
  for (const name of HANDLERS) {
    if (typeof exported[name] !== "function") continue;
    const value = (event, env, context) => {
      observe(context, prepare);
      return run(exported[name](event, env, context));
    };
    members[name] = { value, configurable: true, enumerable: true, writable: true };
  }
  return Object.create(Object.getPrototypeOf(exported), members);
}

const HANDLERS = ["fetch", "scheduled", "queue", "email", "tail", "trace"];

function observe(context, prepare) {
  prepare(context);
  const waitUntil = context.waitUntil;
  context.waitUntil = (work) => waitUntil.call(context, run(work));
}

function run(work) {
  if (typeof work?.then !== "function") return work;
  const key = {};
  running.set(key, Date.now());
  const done = () => running.delete(key);
  work.then(done, done);
  return work;
}
