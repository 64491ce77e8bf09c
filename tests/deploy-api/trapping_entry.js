// The deploy API with a Wasm trap on request: an imported function throws a `RuntimeError` in the middle of a call, as an
// `unreachable` instruction does.
import deployApi, { Ledger as DeployApiLedger } from "./deploy-api.js";

let traps = false;
const { randomUUID } = crypto;
crypto.randomUUID = () => {
  if (!traps) return randomUUID.call(crypto);
  traps = false;
  throw new WebAssembly.RuntimeError("unreachable");
};

export class Ledger extends DeployApiLedger {
  fetch(request) {
    traps = request.headers.has("x-test-trap");
    return super.fetch(request);
  }
}

export default deployApi;
