// Keeps a reference to the newest Wasm instance, so that `Inspect` can read its memory and its tables.

export let instance;

const { Instance } = WebAssembly;
WebAssembly.Instance = new Proxy(Instance, {
  construct(target, args) {
    instance = Reflect.construct(target, args);
    return instance;
  },
});
