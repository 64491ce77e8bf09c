/**
 * A member of a stub, for the `get` trap of an entrypoint that forwards calls. The caller calls it or awaits it: it is a function and a
 * promise, as the stub's own. Each call and each read goes through `run`.
 */
export function stubMember(stub: unknown, run: <T>(use: () => Promise<T>) => Promise<T>): unknown {
  const member = stub as ((...values: unknown[]) => Promise<unknown>) & Promise<unknown>;
  return new Proxy(() => undefined, {
    apply: async (_target, _receiver, values: unknown[]) => await run(async () => await member(...values)),
    get(_target, name) {
      if (name !== "then") return undefined;
      return (resolve: (value: unknown) => void, reject: (cause: unknown) => void) => {
        run(async () => await member).then(resolve, reject);
      };
    },
  });
}
