import assert from "node:assert/strict";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { after, test } from "node:test";
import { deploy, scriptName, visit } from "./platform.ts";

/** A server that answers HTTP requests. Its host is not one of the platform. */
const web = http.createServer((request, response) => response.end(`outside ${request.url}`)).listen(0, "127.0.0.1");
/** A server that sends a line and then returns what it receives. */
const echo = net
  .createServer((socket) => {
    socket.write("hello ");
    socket.on("error", () => undefined);
    socket.pipe(socket);
  })
  .listen(0, "127.0.0.1");
after(() => {
  web.close();
  echo.close();
});

function port(server: net.Server): number {
  return (server.address() as AddressInfo).port;
}

/** A Worker that sends requests to the Worker `target` in the way that the path names. */
function sender(target: string): string {
  return `
    import { connect } from "cloudflare:sockets";
    import net from "node:net";
    const HOST = "dev.${target}.do";
    const message = (socket) => new Promise((resolve) => {
      socket.addEventListener("message", ({ data }) => resolve(data));
      socket.addEventListener("error", ({ message }) => resolve("error: " + message));
    });
    async function echoed(socket) {
      const writer = socket.writable.getWriter();
      await writer.write(new TextEncoder().encode("again"));
      let text = "";
      for await (const bytes of socket.readable) {
        text += new TextDecoder().decode(bytes);
        if (text.endsWith("again")) break;
      }
      return text;
    }
    const WAYS = {
      async fetch() { return await (await fetch("https://" + HOST + "/a?b=c")).text(); },
      async request() {
        const request = new Request("https://" + HOST.toUpperCase() + "./a", { method: "PUT", body: "body" });
        return await (await fetch(request)).text();
      },
      async upgrade() {
        const { webSocket } = await fetch("https://" + HOST, { headers: { upgrade: "websocket" } });
        webSocket.accept();
        return await message(webSocket);
      },
      async websocket() { return await message(new WebSocket("wss://" + HOST + "/socket")); },
      async eventsource() { return await message(new EventSource("https://" + HOST + "/events")); },
      async beacon() {
        navigator.sendBeacon("https://" + HOST + "/beacon", "sent");
        for (;;) {
          const text = await (await fetch("https://" + HOST + "/last-beacon")).text();
          if (text !== "") return text;
          await scheduler.wait(10);
        }
      },
      async outside(query) { return await (await fetch("http://127.0.0.1:" + query.get("port") + "/page")).text(); },
      async sockets(query) { return await echoed(connect("127.0.0.1:" + query.get("port"))); },
      async address(query) { return await echoed(connect({ hostname: "127.0.0.1", port: Number(query.get("port")) })); },
      async refused() { return await connect("127.0.0.1:1").opened.then(() => "opened", ({ message }) => message); },
      async platform() { return await connect(HOST + ":443").opened.then(() => "opened", ({ message }) => message); },
      async node(query) {
        const socket = net.connect(Number(query.get("port")), "127.0.0.1");
        return await new Promise((resolve, reject) => { socket.on("data", (data) => resolve(String(data))); socket.on("error", reject); });
      },
      pass(_query, context) { context.passThroughOnException(); throw new Error("thrown"); },
    };
    export default { async fetch(request, env, context) {
      const { pathname, searchParams } = new URL(request.url);
      return new Response(await WAYS[pathname.slice(1)](searchParams, context));
    } };`;
}

/** A Worker that shows what reached it. */
const TARGET = `
  let beacon = "";
  export default { async fetch(request) {
    const { pathname, search, host } = new URL(request.url);
    if (pathname === "/last-beacon") return new Response(beacon);
    if (pathname === "/beacon") { beacon = await request.text() + search; return new Response(); }
    if (pathname === "/events") return new Response("data: event" + search + "\\n\\n", { headers: { "content-type": "text/event-stream" } });
    if (request.headers.get("upgrade") === "websocket") {
      const [client, server] = Object.values(new WebSocketPair());
      server.accept();
      server.send("socket " + pathname + search);
      return new Response(null, { status: 101, webSocket: client });
    }
    const own = [...request.headers.keys()].filter((name) => name.startsWith("x-local-platform"));
    return new Response([request.method, host, pathname + search, await request.text(), ...own].join(" "));
  } };`;

test("every API that sends a request reaches a host of the platform on this machine, and other hosts outside", async () => {
  const [target, name] = [scriptName(), scriptName()];
  await deploy(target, { "index.js": TARGET });
  const deployed = await deploy(name, { "index.js": sender(target) }, { compatibility_flags: ["nodejs_compat"] });
  assert.equal(deployed.status, 200, JSON.stringify(deployed.errors));
  const sent = async (way: string) => (await visit(name, `/${way}`)).text;
  assert.equal(await sent("fetch"), `GET dev.${target}.do /a?b=c `);
  assert.equal(await sent("request"), `PUT dev.${target}.do. /a body`);
  assert.equal(await sent("upgrade"), "socket /");
  assert.equal(await sent("websocket"), "socket /socket");
  assert.equal(await sent("eventsource"), "event");
  assert.equal(await sent("beacon"), "sent");
  assert.equal(await sent(`outside?port=${port(web)}`), "outside /page");
  assert.equal(await sent(`sockets?port=${port(echo)}`), "hello again");
  assert.equal(await sent(`address?port=${port(echo)}`), "hello again");
  assert.equal(await sent(`node?port=${port(echo)}`), "hello ");
  assert.match(await sent("refused"), /cannot connect/);
  assert.match(await sent("platform"), /is a host of the platform/);
});

test("after passThroughOnException no request leaves the machine", async () => {
  const name = scriptName();
  await deploy(name, { "index.js": sender(name) }, { compatibility_flags: ["nodejs_compat"] });
  const { status, text } = await visit(name, "/pass");
  assert.equal(status, 502);
  assert.match(text, /passThroughOnException.*no origin server/);
});
