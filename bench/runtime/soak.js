// The contender, and behind one host of its own, what its Wasm holds.

import * as capture from "./capture.js";
import contender from "./index.js";

export default {
  fetch(request, env, ctx) {
    if (request.url === "http://soak.invalid/") {
      return Response.json(held(capture.instance?.exports ?? {}));
    }
    return contender.fetch(request, env, ctx);
  },
};

function held(exports) {
  const values = Object.values(exports);
  const memory = values.find((value) => value instanceof WebAssembly.Memory);
  const tables = values.filter((value) => value instanceof WebAssembly.Table);
  return {
    wasm_bytes: memory?.buffer.byteLength ?? 0,
    table_entries: tables.reduce((sum, table) => sum + table.length, 0),
  };
}
