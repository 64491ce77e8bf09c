import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Connection, deploy, scriptCall, scriptName, visit } from "./platform.ts";

const ROOM = {
  bindings: [{ type: "durable_object_namespace", name: "ROOMS", class_name: "Room" }],
  migrations: { new_tag: "v1", steps: [{ new_sqlite_classes: ["Room"] }] },
  compatibility_date: "2026-03-01",
};

/** A script with a class `Room` that has these members. `fetch` passes every request to the room called `a`, unless `main` does else. */
function room(members: string, main = `return env.ROOMS.getByName("a").fetch(request);`): Record<string, string> {
  return {
    "index.js": `
      import { DurableObject, RpcTarget, WorkerEntrypoint, exports } from "cloudflare:workers";
      export class Room extends DurableObject { ${members} }
      export class Named extends WorkerEntrypoint { rooms() { return this.ctx.exports.Room.getByName("a").who(); } }
      export default { async fetch(request, env, context) { ${main} } };`,
  };
}

/** Deploys a room, with the migration if the script is new. */
async function deployRoom(name: string, parts: Record<string, string>, { migrations, ...metadata } = ROOM): Promise<void> {
  const isNew = (await scriptCall("GET", name)).status === 404;
  const { errors } = await deploy(name, parts, isNew ? { ...metadata, migrations } : metadata);
  assert.deepEqual(errors, []);
}

async function json(name: string, path = "/"): Promise<any> {
  const { status, text } = await visit(name, path);
  assert.equal(status, 200, text);
  return JSON.parse(text);
}

/** Requests a path until the response satisfies a condition. */
async function eventually(name: string, path: string, condition: (answer: any) => boolean): Promise<any> {
  for (;;) {
    const answer = await json(name, path);
    if (condition(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const ALARM = `
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    const { storage } = this.ctx;
    if (pathname === "/set") await storage.setAlarm(Date.now() + Number(searchParams.get("in")));
    if (pathname === "/delete") await storage.deleteAlarm();
    return Response.json({ alarm: await storage.getAlarm(), events: await storage.get("events") ?? [] });
  }
  async record(event) { await this.ctx.storage.put("events", [...await this.ctx.storage.get("events") ?? [], event]); }`;

describe("alarms", { concurrency: true }, () => {
  test("an alarm runs once at its time, and can be read and deleted before", async () => {
    const name = scriptName();
    await deployRoom(
      name,
      room(`${ALARM} async alarm(info) {
        await this.record({ info, name: this.ctx.id.name, during: await this.ctx.storage.getAlarm() });
      }`),
    );
    assert.equal((await json(name)).alarm, null);
    const before = Date.now();
    const { alarm } = await json(name, "/set?in=600000");
    assert.ok(alarm >= before + 600_000 && alarm <= Date.now() + 600_000, String(alarm));
    assert.equal((await json(name)).alarm, alarm);
    assert.equal((await json(name, "/delete")).alarm, null);
    await json(name, "/set?in=1");
    const { events, alarm: after } = await eventually(name, "/", ({ events }) => events.length > 0);
    assert.deepEqual(events, [{ info: { retryCount: 0, isRetry: false }, name: "a", during: null }]);
    assert.equal(after, null);
  });

  test("an alarm that throws runs again, with the number of the retry, and what it stored stays", async () => {
    const name = scriptName();
    await deployRoom(
      name,
      room(`${ALARM} async alarm(info) {
        await this.record(info);
        if (info.retryCount < 1) throw new Error("not yet");
      }`),
    );
    await json(name, "/set?in=1");
    const { events } = await eventually(name, "/", ({ events }) => events.length > 1);
    assert.deepEqual(events, [
      { retryCount: 0, isRetry: false },
      { retryCount: 1, isRetry: true },
    ]);
  });

  test("an alarm sets the next one", async () => {
    const name = scriptName();
    await deployRoom(
      name,
      room(`${ALARM} async alarm() {
        await this.record("tick");
        if ((await this.ctx.storage.get("events")).length < 3) await this.ctx.storage.setAlarm(Date.now() + 1);
      }`),
    );
    await json(name, "/set?in=1");
    const { events } = await eventually(name, "/", ({ events, alarm }) => alarm === null && events.length > 2);
    assert.deepEqual(events, ["tick", "tick", "tick"]);
  });

  test("the handler of the newest version runs, also if no request came since its deploy", async () => {
    const name = scriptName();
    const release = (text: string) => room(`${ALARM} async alarm() { await this.record("${text}"); }`);
    await deployRoom(name, release("one"));
    await json(name, "/set?in=1500");
    await deployRoom(name, release("two"));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const { events } = await eventually(name, "/", ({ events }) => events.length > 0);
    assert.deepEqual(events, ["two"]);
  });

  test("a transaction that is rolled back does not change the alarm, and one that is committed does", async () => {
    const name = scriptName();
    await deployRoom(
      name,
      room(`
        constructor(context, env) {
          super(context, env);
          context.blockConcurrencyWhile(async () => {
            this.first = await context.storage.getAlarm();
            await context.storage.setAlarm(4e12);
          });
        }
        alarm() {}
        async fetch() {
          const { storage } = this.ctx;
          const seen = { first: this.first, constructed: await storage.getAlarm() };
          await storage.transaction(async (transaction) => {
            await transaction.setAlarm(4.1e12);
            seen.inside = [await transaction.getAlarm(), await storage.getAlarm()];
            transaction.rollback();
          });
          seen.rolledBack = await storage.getAlarm();
          await storage.transaction((transaction) => transaction.setAlarm(4.2e12));
          seen.committed = await storage.getAlarm();
          await storage.transaction(async () => { await storage.deleteAlarm(); throw new Error("no"); }).catch(() => {});
          seen.thrown = await storage.getAlarm();
          try { storage.transactionSync(() => { storage.setAlarm(4.3e12); throw new Error("no"); }); } catch {}
          seen.thrownSync = await storage.getAlarm();
          storage.transactionSync(() => { storage.setAlarm(new Date(4.4e12)); });
          seen.committedSync = await storage.getAlarm();
          await storage.put("a", 1);
          await storage.deleteAll();
          seen.deleted = [await storage.getAlarm(), await storage.get("a") ?? null];
          seen.refused = await storage.setAlarm(0).catch((error) => error.name + ": " + error.message);
          return Response.json(seen);
        }`),
    );
    assert.deepEqual(await json(name), {
      first: null,
      constructed: 4e12,
      inside: [4.1e12, 4.1e12],
      rolledBack: 4e12,
      committed: 4.2e12,
      thrown: 4.2e12,
      thrownSync: 4.2e12,
      committedSync: 4.4e12,
      deleted: [null, null],
      refused: "TypeError: setAlarm() cannot be called with an alarm time <= 0",
    });
  });

  test("a class without a handler cannot set an alarm, and its other writes stay", async () => {
    const name = scriptName();
    await deployRoom(
      name,
      room(`async fetch() {
        await this.ctx.storage.put("a", 1);
        const refused = await this.ctx.storage.setAlarm(4e12).catch((error) => error.message);
        return Response.json([refused, await this.ctx.storage.get("a")]);
      }`),
    );
    assert.deepEqual(await json(name), [
      "Your Durable Object class must have an alarm() handler in order to call setAlarm()",
      1,
    ]);
  });

  test("an object with a WebSocket sleeps, and a message wakes it up", async () => {
    const name = scriptName();
    await deployRoom(
      name,
      room(`
        started = crypto.randomUUID();
        fetch() {
          const [client, server] = Object.values(new WebSocketPair());
          this.ctx.acceptWebSocket(server, ["tag"]);
          server.serializeAttachment({ kept: true });
          this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
          return new Response(null, { status: 101, webSocket: client });
        }
        webSocketMessage(socket, message) {
          const { length } = this.ctx.getWebSockets("tag");
          socket.send(JSON.stringify([message, this.started, socket.deserializeAttachment(), this.ctx.getTags(socket), length, this.ctx.id.name]));
        }`),
    );
    const socket = await Connection.open(name);
    const sent = async (text: string) => {
      socket.send(text);
      return JSON.parse((await socket.receive()) ?? "null");
    };
    const [, started, ...rest] = await sent("one");
    assert.deepEqual(rest, [{ kept: true }, ["tag"], 1, "a"]);
    socket.send("ping");
    assert.equal(await socket.receive(), "pong");
    // The runtime evicts an object that was idle for 10 seconds.
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    const [message, startedAgain, ...restAgain] = await sent("two");
    assert.deepEqual([message, ...restAgain], ["two", { kept: true }, ["tag"], 1, "a"]);
    assert.notEqual(startedAgain, started);
    socket.close();
  });
});

test("an object knows its id and its name, also in its constructor", async () => {
  const name = scriptName();
  await deployRoom(
    name,
    room(
      `constructor(context, env) { super(context, env); this.constructed = context.id.name; }
       who() { const { id } = this.ctx; return { id: id.toString(), name: id.name, constructed: this.constructed, equal: id.equals(this.env.ROOMS.idFromName("ä b")) }; }`,
      `const { ROOMS } = env;
       const unique = ROOMS.newUniqueId();
       const stub = ROOMS.getByName("ä b");
       return Response.json({
         named: await stub.who(),
         again: await ROOMS.get(ROOMS.idFromString(String(stub.id))).who(),
         unique: await ROOMS.get(unique).who(),
         ids: [String(stub.id), String(unique)],
         stub: [stub.name, stub.id.name],
         located: (await ROOMS.jurisdiction("eu").getByName("c", { locationHint: "weur" }).who()).name,
       });`,
    ),
  );
  const { named, again, unique, ids, stub, located } = await json(name);
  assert.deepEqual(named, { id: ids[0], name: "ä b", constructed: "ä b", equal: true });
  assert.deepEqual(again, named);
  assert.deepEqual(unique, { id: ids[1], equal: false });
  assert.deepEqual(stub, ["ä b", "ä b"]);
  assert.equal(located, "c");
});

test("`ctx.exports` has the namespace of each class, in Workers, entrypoints, objects and as an import", async () => {
  const name = scriptName();
  await deployRoom(
    name,
    room(
      `who() { return this.ctx.id.name; }
       async other() { return [await this.ctx.exports.Room.getByName("c").who(), await exports.Room.getByName("d").who()]; }`,
      `const { Room, Named } = context.exports;
       if (new URL(request.url).pathname === "/loop") return new Response("looped");
       return Response.json({
         worker: await Room.getByName("b").who(),
         object: await Room.getByName("b").other(),
         entrypoint: await Named.rooms(),
         imported: await exports.Room.get(exports.Room.idFromName("e")).who(),
         loop: await (await context.exports.default.fetch("http://loop/loop")).text(),
         names: Object.keys(context.exports).sort(),
       });`,
    ),
    { ...ROOM, bindings: [] },
  );
  assert.deepEqual(await json(name), {
    worker: "b",
    object: ["c", "d"],
    entrypoint: "a",
    imported: "e",
    loop: "looped",
    names: ["Named", "Room", "default"],
  });
});

test("calls pass properties, pipelines, functions, targets, streams and errors", async () => {
  const name = scriptName();
  const members = `
    get size() { return 42; }
    get nested() { return { double: (x) => 2 * x }; }
    counter() { return new Counter(); }
    async call(f) { return "called " + await f(3); }
    keep(f) { this.kept = f.dup(); }
    async useKept() { return await this.kept(5); }
    stream() { return new Response("streamed").body; }
    async length(stream) { return (await new Response(stream).text()).length; }
    fail() { throw new RangeError("no more"); }
    reset() { this.ctx.abort("reset by the object"); }
    count() { return this.counted = (this.counted ?? 0) + 1; }`;
  const main = `
    const stub = env.ROOMS.getByName("a");
    const failed = (call) => call.then(() => "no error", (error) => error.name + ": " + error.message);
    const counter = await stub.counter();
    await counter.add(2);
    const seen = {
      size: await stub.size,
      nested: await stub.nested.double(4),
      counter: [await counter.add(3), await counter.value],
      pipelined: await stub.counter().add(9),
      call: await stub.call((x) => x + 1),
      kept: [await stub.keep((x) => x + 100) ?? null, await stub.useKept()],
      stream: await new Response(await stub.stream()).text(),
      length: await stub.length(new Response("x".repeat(300000)).body),
      failed: await failed(stub.fail()),
      missing: await failed(stub.missing()),
      order: await Promise.all([stub.count(), stub.count(), stub.count()]),
      reset: await failed(stub.reset()),
      afterReset: await stub.count(),
    };
    counter[Symbol.dispose]();
    return Response.json(seen);`;
  const parts = room(members, main);
  parts["index.js"] += "class Counter extends RpcTarget { #n = 0; add(n) { this.#n += n; return this.#n; } get value() { return this.#n; } }";
  await deployRoom(name, parts);
  assert.deepEqual(await json(name), {
    size: 42,
    nested: 8,
    counter: [5, 5],
    pipelined: 9,
    call: "called 4",
    kept: [null, 105],
    stream: "streamed",
    length: 300_000,
    failed: "RangeError: no more",
    missing: 'TypeError: The RPC receiver does not implement the method "missing".',
    order: [1, 2, 3],
    reset: "Error: reset by the object",
    afterReset: 1,
  });
});

test("a request of an earlier version reaches the object on the newest version, and does not restart it", async () => {
  const name = scriptName();
  // A request of the first version calls the object for each message that it receives.
  const main = (release: string) => `
    if (request.headers.get("upgrade") !== "websocket") return Response.json(await env.ROOMS.getByName("a").next());
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    server.addEventListener("message", async () => server.send(JSON.stringify(["${release}", await env.ROOMS.getByName("a").next()])));
    return new Response(null, { status: 101, webSocket: client });`;
  const release = (text: string) =>
    room(`next() { return { count: this.count = (this.count ?? 0) + 1, release: "${text}" }; }`, main(text));
  await deployRoom(name, release("one"));
  const socket = await Connection.open(name);
  const next = async () => {
    socket.send("next");
    return JSON.parse((await socket.receive()) ?? "null");
  };
  assert.deepEqual(await next(), ["one", { count: 1, release: "one" }]);
  await deployRoom(name, release("two"));
  assert.deepEqual(await next(), ["one", { count: 1, release: "two" }]);
  assert.deepEqual(await json(name), { count: 2, release: "two" });
  assert.deepEqual(await next(), ["one", { count: 3, release: "two" }]);
  assert.deepEqual(await json(name), { count: 4, release: "two" });
});
