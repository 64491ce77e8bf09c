import assert from "node:assert/strict";
import { test } from "node:test";
import { deploy, scriptName, visit } from "./platform.ts";

// Libraries find what a decorator recorded by the identity of the method: the Agents SDK finds the methods that clients may call so.
const SCRIPT = `
  import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
  const recorded = new WeakSet();
  const record = (owner) => { recorded.add(owner.prototype.called); return owner; };
  const found = (instance) => recorded.has(instance.called);
  export const Room = record(class Room extends DurableObject {
    called() { return { isFound: found(this), isOwnClass: this instanceof Room, name: this.constructor.name }; }
  });
  export const Leaf = record(class Leaf extends DurableObject {
    called() { return { isFound: found(this), isOwnClass: this instanceof Leaf, name: this.constructor.name }; }
  });
  export class Parent extends DurableObject {
    called() { return this.ctx.facets.get("leaf", () => ({ class: this.ctx.exports.Leaf })).called(); }
  }
  export const Named = record(class Named extends WorkerEntrypoint {
    called() { return { isFound: found(this), isOwnClass: this instanceof Named, name: this.constructor.name }; }
  });
  export const plain = { fetch() { return new Response("plain"); } };
  export const helper = () => "an exported function is no entrypoint";
  export default record(class Main extends WorkerEntrypoint {
    called() { return { isFound: found(this), isOwnClass: this instanceof Main, name: this.constructor.name }; }
    async fetch() {
      const { default: main, Named } = this.ctx.exports;
      return Response.json({
        object: await this.env.ROOMS.getByName("a").called(),
        facet: await this.env.PARENTS.getByName("a").called(),
        named: await Named.called(),
        main: await main.called(),
        own: this.called(),
      });
    }
  });`;

test("the methods of a class are the script's own inside of it, and calls reach them", async () => {
  const name = scriptName();
  const { errors } = await deploy(
    name,
    { "index.js": SCRIPT },
    {
      bindings: [
        { type: "durable_object_namespace", name: "ROOMS", class_name: "Room" },
        { type: "durable_object_namespace", name: "PARENTS", class_name: "Parent" },
      ],
      migrations: { new_tag: "v1", steps: [{ new_sqlite_classes: ["Room", "Parent"] }] },
      compatibility_date: "2026-03-01",
    },
  );
  assert.deepEqual(errors, []);
  const { status, text } = await visit(name, "/");
  assert.equal(status, 200, text);
  const of = (name: string) => ({ isFound: true, isOwnClass: true, name });
  assert.deepEqual(JSON.parse(text), {
    object: of("Room"),
    facet: of("Leaf"),
    named: of("Named"),
    main: of("Main"),
    own: of("Main"),
  });
});
