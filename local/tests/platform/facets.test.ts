import assert from "node:assert/strict";
import { test } from "node:test";
import { deploy, scriptName, visit } from "./platform.ts";

/** A script with an object `Tree`, whose facets are of the class `Leaf` or `Tree`. */
const SCRIPT = `
  import { DurableObject } from "cloudflare:workers";
  class Countable extends DurableObject {
    who() { return { id: this.ctx.id.toString(), name: this.ctx.id.name ?? null, props: this.ctx.props, version: VERSION }; }
    count() { const { kv } = this.ctx.storage; kv.put("count", (kv.get("count") ?? 0) + 1); return kv.get("count"); }
    facet(name, id, started = this.ctx.exports.Leaf) { return this.ctx.facets.get(name, () => ({ class: started, id })); }
    counts(name) { return this.facet(name).count(); }
  }
  export class Leaf extends Countable {}
  export class Tree extends Countable {
    async identities() {
      const { Leaf, Tree } = this.ctx.exports;
      return {
        named: await this.facet("named", Tree.idFromName("ä b")).who(),
        plain: await this.facet("plain", "any text").who(),
        inherited: await this.facet("inherited").who(),
        withProps: await this.facet("with props", Tree.idFromName("c"), Leaf({ props: { number: 1 } })).who(),
        ofNamespace: await this.facet("of a namespace", Tree.idFromName("d"), Tree).who(),
      };
    }
    async counting() {
      const leaf = this.facet("leaf");
      return { own: this.count(), leaf: await leaf.count(), other: await this.facet("other").count(), nested: await leaf.counts("leaf") };
    }
    end(name) { this.ctx.facets.abort(name, new Error("aborted")); }
    remove(name) { this.ctx.facets.delete(name); }
  }
  export default { async fetch(request, env, context) {
    const [method, ...args] = new URL(request.url).pathname.slice(1).split("/");
    const result = await env.TREES.getByName("root")[method](...args);
    return Response.json({ result, exports: Object.keys(context.exports).sort() });
  } };`;

async function deployVersion(name: string, version: number, isFirst = false): Promise<void> {
  const metadata = {
    bindings: [{ type: "durable_object_namespace", name: "TREES", class_name: "Tree" }],
    compatibility_date: "2026-03-01",
    ...(isFirst ? { migrations: { new_tag: "v1", steps: [{ new_sqlite_classes: ["Tree"] }] } } : {}),
  };
  const { errors } = await deploy(name, { "index.js": `const VERSION = ${version};${SCRIPT}` }, metadata);
  assert.deepEqual(errors, []);
}

async function call(name: string, method: string): Promise<any> {
  const { status, text } = await visit(name, `/${method}`);
  assert.equal(status, 200, text);
  const { result, exports } = JSON.parse(text);
  assert.deepEqual(exports, ["Leaf", "Tree", "default"]);
  return result;
}

test("a facet has the id, the name and the props with which its object started it", async () => {
  const name = scriptName();
  await deployVersion(name, 1, true);
  const { named, plain, inherited, withProps, ofNamespace } = await call(name, "identities");
  const root = await call(name, "who");
  assert.deepEqual([root.name, root.props], ["root", {}]);
  assert.match(named.id, /^[0-9a-f]{64}$/);
  assert.notEqual(named.id, root.id);
  assert.deepEqual([named.name, named.props], ["ä b", {}]);
  assert.deepEqual([plain.id, plain.name], ["any text", null]);
  assert.deepEqual([inherited.id, inherited.name], [root.id, "root"]);
  assert.deepEqual([withProps.name, withProps.props], ["c", { number: 1 }]);
  assert.deepEqual([ofNamespace.name, ofNamespace.props], ["d", {}]);
});

test("each facet has its own storage, which a deploy and an abort keep and which `delete` removes", async () => {
  const name = scriptName();
  await deployVersion(name, 1, true);
  assert.deepEqual(await call(name, "counting"), { own: 1, leaf: 1, other: 1, nested: 1 });
  await deployVersion(name, 2);
  assert.equal((await call(name, "identities")).named.version, 2);
  assert.deepEqual(await call(name, "counting"), { own: 2, leaf: 2, other: 2, nested: 2 });
  await call(name, "end/leaf");
  await call(name, "remove/other");
  assert.deepEqual(await call(name, "counting"), { own: 3, leaf: 3, other: 1, nested: 3 });
});
