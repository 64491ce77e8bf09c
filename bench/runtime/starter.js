// Starts a new isolate of the contender for every path that is requested, and sends it one request. The contender's
// modules are bindings.

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const worker = env.LOADER.get(pathname, () => ({
      compatibilityDate: env.COMPATIBILITY.date,
      compatibilityFlags: env.COMPATIBILITY.flags,
      mainModule: "index.js",
      modules: modules(env, pathname),
      env: {},
      globalOutbound: null,
    }));
    try {
      const response = await worker.getEntrypoint().fetch("https://example.com/");
      await response.arrayBuffer();
    } catch {
      // Some contenders throw without their bindings. The isolate has started all the same.
    }
    return new Response("started");
  },
};

function modules(env, salt) {
  const modules = {};
  for (const [name, code] of Object.entries(env)) {
    if (name.endsWith(".js")) {
      modules[name] = code;
    } else if (name.endsWith(".wasm")) {
      modules[name] = { wasm: withSection(new Uint8Array(code), salt) };
    }
  }
  return modules;
}

// The engine shares compiled code between isolates whose Wasm has the same bytes. A different custom section in each
// makes every start a first one.
function withSection(wasm, text) {
  const name = new TextEncoder().encode(text);
  const section = new Uint8Array([0, 1 + name.length, name.length, ...name]);
  const salted = new Uint8Array(wasm.length + section.length);
  salted.set(wasm);
  salted.set(section, wasm.length);
  return salted.buffer;
}
