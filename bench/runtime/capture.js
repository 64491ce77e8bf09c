// Keeps the instance that the module after this one makes, for its memory and its tables.

export let instance;

const { Instance } = WebAssembly;
WebAssembly.Instance = new Proxy(Instance, {
  construct(target, args) {
    instance = Reflect.construct(target, args);
    return instance;
  },
});
