import { page } from "./page.ts";
import { Room } from "./room.ts";

export { Room };

interface Environment {
  readonly ROOMS: DurableObjectNamespace<Room>;
  /** How long a room keeps its messages after the last one. */
  readonly HISTORY_SECONDS: number;
}

/** `/` is a page; `/rooms/NAME` is the WebSocket of a room. */
export default {
  async fetch(request, environment) {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } });
    const [, name] = /^\/rooms\/([\w-]{1,50})$/.exec(pathname) ?? [];
    if (name === undefined) return new Response("There is no such page.\n", { status: 404 });
    return await environment.ROOMS.getByName(name).fetch(request);
  },
} satisfies ExportedHandler<Environment>;
