// Requests that are in flight when the Wasm traps.
//
// A trap leaves the instance in an undefined state, so a new instance replaces it, and no task and no closure of the old one
// runs again. A request is in one of three states then:
// - Its handler waits in the old instance, for KV or for a namespace binding that returns a promise, and has sent nothing
//   to a user Worker: it is handled again by the new instance, once.
// - Its handler waited, and the request was sent when the trap occurred: it is answered with an error.
// - A user Worker has it, and the runtime has the user Worker's promise: the trap does not affect it.
import { __wbg_reset_state as resetInstance, withLocation } from "./index.js";

/** The requests of the first two states. */
const waiting = new Map();

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

export function untilTrapped(response, request) {
  return new Promise((resolve, reject) => {
    const state = { reject, mayRestart: true };
    waiting.set(request, state);
    response.then(resolve, reject).then(() => waiting.get(request) === state && waiting.delete(request));
  });
}

export function forbidRestart(request) {
  const state = waiting.get(request);
  if (state !== undefined) state.mayRestart = false;
}

export function restoreLocation(response, url, prefix) {
  return response.then((response) => {
    try {
      return withLocation(response, url, prefix);
    } catch (trap) {
      reinstantiate(trap);
      return response;
    }
  });
}
