// The main module of every dispatcher under test. It adds the entrypoint `Inspect`, which has its own socket, and
// exports the contender's handler and entrypoints unchanged, so that a request to the contender pays nothing for it.

import * as capture from "./capture.js";

export { default } from "./index.js";
export * from "./index.js";

export const Inspect = {
  /** What the isolate holds: its Wasm memory and tables, and the data points that the contender wrote. */
  fetch(_request, env) {
    const values = Object.values(capture.instance?.exports ?? {});
    const memory = values.find((value) => value instanceof WebAssembly.Memory);
    const tables = values.filter((value) => value instanceof WebAssembly.Table);
    return Response.json({
      wasm_bytes: memory?.buffer.byteLength ?? 0,
      table_entries: tables.reduce((sum, table) => sum + table.length, 0),
      points: env.ANALYTICS?.count ?? 0,
      last_point: env.ANALYTICS?.last ?? null,
    });
  },
};
