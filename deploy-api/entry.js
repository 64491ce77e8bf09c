// The two things that the platform wants as JavaScript: the Worker, and the class of its Durable Object.
//
// Everything else is Rust. A trap poisons the Wasm instance: the requests in it would wait for ever, and later ones
// would fail. So they are failed at once, and the next request gets a fresh instance; what it finds in the database is
// whole, because every statement there is.
import { DurableObject } from "cloudflare:workers";
import * as wasm from "./index.js";

/** How requests under way are failed when the Wasm traps. */
const underWay = new Set();
let instance = 0;
let isPoisoned = false;

// The Wasm calls this when it traps.
globalThis.deployApiTrapped = () => {
  isPoisoned = true;
  for (const fail of underWay) fail(new Error("the Wasm trapped"));
  underWay.clear();
};

/** The Rust functions, of an instance that has not trapped. */
function rust() {
  if (isPoisoned) {
    // Here, and not in the glue's own guard: that runs when arguments are in the old instance's memory already.
    wasm.__wbg_reset_state();
    isPoisoned = false;
    instance += 1;
  }
  return wasm;
}

async function unlessTrapped(work) {
  let fail;
  const trapped = new Promise((_, reject) => {
    fail = reject;
    underWay.add(fail);
  });
  try {
    return await Promise.race([work(), trapped]);
  } finally {
    underWay.delete(fail);
  }
}

export class Ledger extends DurableObject {
  #ledger;
  #instance;

  /** The Rust object, made anew after a trap. */
  #current() {
    const { Ledger } = rust();
    if (this.#ledger === undefined || this.#instance !== instance) {
      this.#ledger = new Ledger(this.ctx.storage, this.env);
      this.#instance = instance;
    }
    return this.#ledger;
  }

  async fetch(request) {
    try {
      return await unlessTrapped(() => this.#current().fetch(request));
    } catch (error) {
      return rust().failed(request, String(error), false);
    }
  }

  async alarm() {
    await unlessTrapped(() => this.#current().alarm());
  }
}

export default {
  async fetch(request, env) {
    try {
      return await env.LEDGER.getByName("ledger").fetch(request);
    } catch (error) {
      const mayRetry = error?.retryable === true || error?.overloaded === true;
      return rust().failed(request, String(error), mayRetry);
    }
  },
};
