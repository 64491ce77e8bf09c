// The Worker's entry, in place of the class and the two proxies per request that worker-build would generate.
//
// Rust decides, this file waits. It also keeps what those proxies are there for: a panic in Wasm is a trap, and a trap
// leaves the instance in whatever state it was. So after one the Wasm starts afresh, this request is answered with an
// error, and the next one works.
import {
  __wbg_reset_state as reset,
  dispatch,
  fail,
  forward,
  learn,
  record,
  recover,
  unreachable,
} from "./index.js";

/** No step throws of itself, so whatever one throws is a trap. */
const guarded = (step) => (request, env, value) => {
  try {
    return step(request, env, value, steps);
  } catch (trap) {
    reset();
    return recover(request, env, trap);
  }
};

/** The steps that follow a promise: plain exports, which live on in the next instance where a closure would not. */
const steps = {
  forward: guarded(forward),
  learn: guarded(learn),
  record: guarded(record),
  unreachable: guarded(unreachable),
};

const begin = guarded((request, env) => dispatch(request, env, steps));
const rejected = guarded(fail);

export default {
  // Not `async`: one more promise and turn of the loop for each request are a tenth of what a dispatch costs.
  fetch(request, env) {
    const answer = begin(request, env);
    return answer instanceof Promise ? answer.then(undefined, (error) => rejected(request, env, error)) : answer;
  },
};
