import { DurableObject } from "cloudflare:workers";

/** The most messages that a room keeps, and the most characters of one. */
const MAX_MESSAGES = 100;
const MAX_TEXT = 1000;

interface Variables {
  readonly HISTORY_SECONDS: number;
}

/**
 * A chat room. Each message is stored and sent to everyone in the room. The runtime holds the WebSockets while the object sleeps. An
 * alarm deletes the messages some time after the last one.
 */
export class Room extends DurableObject<Variables> {
  constructor(state: DurableObjectState, environment: Variables) {
    super(state, environment);
    state.storage.sql.exec("CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL)");
  }

  /** Enters the room. The new member gets the messages of the room. */
  override async fetch(request: Request): Promise<Response> {
    if (request.headers.get("upgrade") !== "websocket") {
      return new Response("Connect with a WebSocket.\n", { status: 426, headers: { upgrade: "websocket" } });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    for (const { text } of this.ctx.storage.sql.exec<{ text: string }>("SELECT text FROM messages ORDER BY id")) server.send(text);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(_from: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (typeof message !== "string" || message === "") return;
    const text = message.slice(0, MAX_TEXT);
    const { sql } = this.ctx.storage;
    sql.exec("INSERT INTO messages (text) VALUES (?)", text);
    sql.exec("DELETE FROM messages WHERE id <= (SELECT max(id) FROM messages) - ?", MAX_MESSAGES);
    await this.ctx.storage.setAlarm(Date.now() + this.env.HISTORY_SECONDS * 1000);
    for (const socket of this.ctx.getWebSockets()) socket.send(text);
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    // 1005 says that the client sent no code, and cannot be sent.
    socket.close(code === 1005 ? 1000 : code);
  }

  /** Deletes the messages, and tells the members. */
  override async alarm(): Promise<void> {
    this.ctx.storage.sql.exec("DELETE FROM messages");
    for (const socket of this.ctx.getWebSockets()) socket.send(`The messages of ${this.ctx.id.name} were deleted.`);
  }
}
