// Requests that are in flight when the Wasm traps.
//
// A trap leaves the instance in an undefined state, so a new instance replaces it, and no task and no closure of the old one
// runs again. At that moment a request is in one of four states:
// - Its handler waits in the old instance, for KV or for a namespace binding that returns a promise. Nothing was sent to a
//   user Worker, so the new instance handles it again.
// - Its handler waited and has just sent the request to a user Worker. It is answered with an error, never sent twice.
// - Its handler waited and caused the trap. It is answered with an error, because it would trap again.
// - A user Worker handles it, and the runtime has the user Worker's promise. The trap does not affect it.
import { __wbg_reset_state as resetInstance, withLocation } from "./index.js";

/** The requests of the first three states, each with `reject` and `mayRestart`. */
const waiting = new Map();

/** The request among them whose task runs, or ran last. */
let running;

/** The reason that a waiting request is rejected with. */
export class Trapped extends Error {
  constructor(trap, mayRestart) {
    super(trap instanceof Error ? trap.message : String(trap));
    this.mayRestart = mayRestart;
  }
}

/** Replaces the instance after a trap. */
export function reinstantiate(trap) {
  resetInstance();
  const requests = [...waiting.values()];
  waiting.clear();
  for (const { reject, mayRestart } of requests) reject(new Trapped(trap, mayRestart));
}

// Tasks run in microtasks, whose exceptions arrive here.
addEventListener("error", ({ error }) => {
  forbidRestart(running);
  reinstantiate(error);
});

function untilTrapped(response, request, context) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const state = { reject, mayRestart: true };
  waiting.set(request, state);
  response.then(resolve, reject);
  const settled = () => {
    if (waiting.get(request) === state) waiting.delete(request);
  };
  // Without waitUntil, the runtime ends a request whose client leaves: its promises never settle, and this map and the memory
  // of the Wasm grow.
  context.waitUntil(promise.then(settled, settled));
  return promise;
}

function enterTask(request) {
  running = request;
}

function forbidRestart(request) {
  const state = waiting.get(request);
  if (state !== undefined) state.mayRestart = false;
}

function restoreLocation(response, url, prefix) {
  return response.then((response) => {
    // Few responses redirect, and the texts need not cross into Wasm for the others.
    if (!response.headers.has("Location")) return response;
    try {
      return withLocation(response, url, prefix);
    } catch (trap) {
      reinstantiate(trap);
      return response;
    }
  });
}

/** What the Wasm calls. */
export const inFlight = { untilTrapped, enterTask, forbidRestart, restoreLocation };
