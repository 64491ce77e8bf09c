// The deploy API whose isolate loses its memory on request. The header x-test-isolate selects the action: `forget` discards the
// instance of the Wasm, and `forge` changes the seal of the cached document of the address in x-test-address.
import deployApi, { Ledger, Reconciler } from "./deploy-api.js";

async function forge(address) {
  const key = `https://deploy-api.invalid/issuer-documents?${new URLSearchParams({ address })}`;
  const cached = await caches.default.match(key);
  if (!cached) return new Response("not cached", { status: 404 });
  const forged = new Uint8Array(await cached.arrayBuffer());
  forged[0] ^= 1;
  await caches.default.put(key, new Response(forged, { headers: { "cache-control": "max-age=600" } }));
  return new Response("forged");
}

export { Ledger, Reconciler };

export default {
  async fetch(request, env, context) {
    switch (request.headers.get("x-test-isolate")) {
      case "forget":
        // The next call uses a new instance of the Wasm.
        globalThis.deployApiTrapped();
        return new Response("forgotten");
      case "forge":
        return forge(request.headers.get("x-test-address"));
      default:
        return deployApi.fetch(request, env, context);
    }
  },
};
