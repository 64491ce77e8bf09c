// The deploy API, whose Wasm traps when a request asks for it: what it imports throws in the middle of a call, as the
// Wasm itself would.
import deployApi, { Ledger as Sound } from "./deploy-api.js";

let traps = false;
const { randomUUID } = crypto;
crypto.randomUUID = () => {
  if (!traps) return randomUUID.call(crypto);
  traps = false;
  throw new WebAssembly.RuntimeError("unreachable");
};

export class Ledger extends Sound {
  fetch(request) {
    traps = request.headers.has("x-test-trap");
    return super.fetch(request);
  }
}

export default deployApi;
