// The deploy API with a Wasm trap on request: an imported function throws a `RuntimeError` in the middle of a call, as an
// `unreachable` instruction does. The header x-test-trap names the entry point that traps.
import deployApi, { Ledger as DeployApiLedger, Reconciler as DeployApiReconciler } from "./deploy-api.js";

let traps = false;
let trapsInLedger = false;
const { now } = Date;
Date.now = () => {
  if (!traps) return now();
  traps = false;
  throw new WebAssembly.RuntimeError("unreachable");
};

export class Ledger extends DeployApiLedger {
  fetch(request) {
    traps = trapsInLedger;
    trapsInLedger = false;
    return super.fetch(request);
  }
}

export class Reconciler extends DeployApiReconciler {
  reconcile() {
    traps = true;
    return super.reconcile();
  }
}

export default {
  async fetch(request, env, context) {
    const trapsIn = request.headers.get("x-test-trap");
    if (trapsIn === "reconciler") return new Response(await context.exports.Reconciler.reconcile().catch(String));
    traps = trapsIn === "gateway";
    trapsInLedger = trapsIn === "ledger";
    return deployApi.fetch(request, env, context);
  },
};
