// The dispatch namespace binding of the benchmark, the same for every dispatcher. As on the platform, `get` returns at
// once, and the `fetch` of a script that does not exist rejects. The class has the platform's name because workers-rs
// checks it.

class DynamicDispatcher {
  #scripts;

  constructor(scripts) {
    this.#scripts = new Map(Object.entries(scripts));
  }

  get(name, _args, _options) {
    return this.#scripts.get(name) ?? MISSING;
  }
}

class MissingScript {
  async fetch() {
    throw new Error("Worker not found.");
  }
}

const MISSING = new MissingScript();

export default (scripts) => new DynamicDispatcher(scripts);
