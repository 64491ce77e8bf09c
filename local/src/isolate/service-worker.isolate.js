// The main module of a script in the older service-worker format: its listeners become the `fetch` handler of an ES module.
import { listeners } from "./__local_platform__globals.js";
import "./__local_platform__script.js";

class FetchEvent extends Event {
  #context;
  answer;
  constructor(request, context) {
    super("fetch");
    this.request = request;
    this.#context = context;
  }
  respondWith(answer) {
    this.answer ??= Promise.resolve(answer);
  }
  waitUntil(work) {
    this.#context.waitUntil(work);
  }
  passThroughOnException() {
    this.#context.passThroughOnException();
  }
}

async function fetch(request, _env, context) {
  const event = new FetchEvent(request, context);
  for (const listener of listeners) {
    if (typeof listener === "function") await listener(event);
    else await listener.handleEvent(event);
    if (event.answer) return event.answer;
  }
  throw new Error("No fetch listener answered with respondWith().");
}

export default listeners.length > 0 ? { fetch } : {};
