// The dispatch namespace binding of the benchmark, the same for every dispatcher: `get` is synchronous, answers the
// service binding that stands for the script, and is lazy about scripts that do not exist, as the platform is. The
// class has the platform's name, because workers-rs checks it.

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
