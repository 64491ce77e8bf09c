// What the platform calls: the Worker, the class of its Durable Object, and its entrypoint for the reconciler. Each of them
// calls Rust.
//
// A panic in Wasm is a trap, which leaves the instance in an undefined state: its tasks never run again. So all requests in
// flight are rejected at once, and the next call uses a new instance. Every transaction of the database was either committed
// or rolled back.
//
// The shims that worker-build generates would only do the second half: requests in flight would wait forever.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import * as wasm from "./index.js";

/** The functions that reject the calls in flight. */
const inFlight = new Set();
/** The number of traps, which identifies the instance. */
let traps = 0;
let isTrapped = false;

// The Wasm calls this when it traps.
globalThis.deployApiTrapped = () => {
  isTrapped = true;
  const rejections = [...inFlight];
  inFlight.clear();
  for (const reject of rejections) reject(new Error("the Wasm trapped"));
};

wasm.start();

/** The exports of an instance that has not trapped. */
function rust() {
  if (isTrapped) {
    // wasm-bindgen could replace the instance itself, but only after it has copied the arguments to the old one.
    wasm.__wbg_reset_state();
    isTrapped = false;
    traps += 1;
    wasm.start();
  }
  return wasm;
}

/** Calls Rust. The promise is rejected if the Wasm traps before the call ends. */
function untilTrapped(call) {
  const { promise, resolve, reject } = Promise.withResolvers();
  inFlight.add(reject);
  const ended = () => inFlight.delete(reject);
  // A trap before the first wait is an exception of the call itself.
  new Promise((started) => started(call(rust()))).then(resolve, reject);
  promise.then(ended, ended);
  return promise;
}

export default {
  async fetch(request, env, context) {
    const response = untilTrapped(({ fetch }) => fetch(request, env, context));
    // Without this, the runtime ends the call when the client disconnects: its promise never settles, and its memory is never
    // freed.
    context.waitUntil(response.catch(() => {}));
    try {
      return await response;
    } catch (error) {
      return rust().failed(request, String(error));
    }
  },
};

/** Called with `POST https://ledger/{message}`, a JSON body and a JSON response. */
export class Ledger extends DurableObject {
  #ledger;
  #traps;

  /** The Rust object, a new one after a trap. */
  #current({ Ledger }) {
    if (this.#ledger === undefined || this.#traps !== traps) {
      this.#ledger = new Ledger(this.ctx, this.env);
      this.#traps = traps;
    }
    return this.#ledger;
  }

  fetch(request) {
    return untilTrapped((wasm) => this.#current(wasm).fetch(request));
  }

  async alarm() {
    await untilTrapped((wasm) => this.#current(wasm).alarm());
  }
}

/** Called by the alarm of the Durable Object with `ctx.exports.Reconciler.reconcile()`. */
export class Reconciler extends WorkerEntrypoint {
  reconcile() {
    return untilTrapped(({ reconcile }) => reconcile(this.env));
  }
}
