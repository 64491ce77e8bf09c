// The facets that a script starts with `ctx.facets`. The runtime gives a facet of a loaded isolate an id that is only a string, and takes
// none of the namespaces that the script sees. So the id is a part of the props with which a class is started.
import { DurableObject } from "cloudflare:workers";
import { ObjectId } from "./__local_platform__/bindings/durable_object_namespace/setup.js";
import * as main from "./__local_platform__main.js";
import names from "./__local_platform__names.js";

/**
 * What the script can start as a facet: the classes and namespaces in `ctx.exports`, and the results of their calls with props. Each has
 * the class of the runtime, and the props.
 */
const classes = new WeakMap();

/** Finds the classes of Durable Objects in `ctx.exports`. `namespaces` replace some of them. */
export function replaceClasses(exports, namespaces) {
  for (const [name, exported] of Object.entries(main)) {
    const isObject = namespaces[name] !== undefined || exported?.prototype instanceof DurableObject;
    if (!isObject || exports[name] === undefined) continue;
    const startable = exports[name];
    const value = namespaces[name] ?? withProps(startable);
    classes.set(value, { startable, props: {} });
    Object.defineProperty(exports, name, { value, configurable: true, enumerable: true, writable: true });
  }
}

/** A class of `ctx.exports`, which the script can call with `{ props }`. */
function withProps(startable) {
  return new Proxy(startable, {
    apply(target, receiver, [options]) {
      const value = Reflect.apply(target, receiver, [options]);
      classes.set(value, { startable, props: options?.props ?? {} });
      return value;
    },
  });
}

/** Makes the facets of an object or of a facet get their id. */
export function addFacets(context) {
  const { facets } = context;
  if (facets === undefined) return;
  const { get } = facets;
  const value = (name, start) =>
    get.call(facets, name, async () => {
      const { class: started, id = context.id } = await start();
      const own = classes.get(started);
      if (own === undefined) return { class: started, id: String(id) };
      const { startable, props } = own;
      const facet = { props, id: id instanceof ObjectId ? { hex: String(id), name: id.name } : null };
      return { class: startable({ props: { [names.facetProps]: facet } }), id: String(id) };
    });
  Object.defineProperty(facets, "get", { value, configurable: true, writable: true });
  Object.defineProperty(context, "facets", { value: facets, configurable: true, enumerable: true });
}
