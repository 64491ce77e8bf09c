import { Hono } from "hono";

interface Environment {
  /** Notes by id, each for a minute. */
  readonly CACHE: KVNamespace;
  /** The table `notes` of `migrations/`. */
  readonly DATABASE: D1Database;
}

interface Note {
  readonly id: number;
  readonly text: string;
  /** RFC 3339, UTC. */
  readonly created: string;
}

/** The most characters of a note. */
const MAX_TEXT = 10_000;
const CACHE_SECONDS = 60;

const app = new Hono<{ Bindings: Environment }>();

/** The newest notes. */
app.get("/notes", async ({ env, json }) => {
  const { results } = await env.DATABASE.prepare("SELECT id, text, created FROM notes ORDER BY id DESC LIMIT 100").all<Note>();
  return json(results);
});

/** Creates a note from `{"text": "…"}`. */
app.post("/notes", async ({ env, req, json }) => {
  const body: unknown = await req.json().catch(() => null);
  const text = body !== null && typeof body === "object" && "text" in body ? body.text : undefined;
  if (typeof text !== "string" || text === "" || text.length > MAX_TEXT) {
    return json({ error: `Send {"text": "…"} with 1 to ${MAX_TEXT} characters.` }, 400);
  }
  const insert = env.DATABASE.prepare("INSERT INTO notes (text) VALUES (?) RETURNING id, text, created").bind(text);
  return json(await insert.first<Note>(), 201);
});

/** One note. The header `X-Cache` tells whether it comes from the cache. */
app.get("/notes/:id{[0-9]+}", async ({ env, req, json }) => {
  const id = req.param("id");
  const cached = await env.CACHE.get<Note>(id, "json");
  if (cached !== null) return json(cached, 200, { "X-Cache": "HIT" });
  const select = env.DATABASE.prepare("SELECT id, text, created FROM notes WHERE id = ?").bind(Number(id));
  const note = await select.first<Note>();
  if (note === null) return json({ error: `There is no note ${id}.` }, 404);
  await env.CACHE.put(id, JSON.stringify(note), { expirationTtl: CACHE_SECONDS });
  return json(note, 200, { "X-Cache": "MISS" });
});

/** Deletes a note, also from the cache. */
app.delete("/notes/:id{[0-9]+}", async ({ env, req, body }) => {
  const id = req.param("id");
  await env.DATABASE.prepare("DELETE FROM notes WHERE id = ?").bind(Number(id)).run();
  await env.CACHE.delete(id);
  return body(null, 204);
});

export default app;
