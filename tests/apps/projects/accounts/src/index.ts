import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { count, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as schema from "./schema";

interface Environment {
  readonly DATABASE: D1Database;
  /** Signs the cookies: a secret. */
  readonly BETTER_AUTH_SECRET: string;
}

type Database = ReturnType<typeof database>;

const database = (environment: Environment) => drizzle(environment.DATABASE, { schema });

/** Sign-up and sign-in with e-mail address and password, at `/api/auth/*`. */
const authentication = (environment: Environment, origin: string) =>
  betterAuth({
    baseURL: origin,
    secret: environment.BETTER_AUTH_SECRET,
    database: drizzleAdapter(database(environment), { provider: "sqlite", schema }),
    emailAndPassword: { enabled: true },
  });

/** The user's notes: `GET` returns them, `POST` with `{"text": "…"}` adds one. */
async function notes(request: Request, database: Database, userId: string): Promise<Response> {
  if (request.method === "POST") {
    const { text } = await request.json<{ text: string }>();
    const [created] = await database.insert(schema.note).values({ userId, text }).returning();
    return Response.json(created, { status: 201 });
  }
  const found = await database.query.note.findMany({ where: eq(schema.note.userId, userId) });
  return Response.json(found.map(({ text }) => text));
}

/** How many notes each user has. The two queries are one batch. */
async function statistics(database: Database): Promise<Response> {
  const [users, byUser] = await database.batch([
    database.select({ count: count() }).from(schema.user),
    database
      .select({ name: schema.user.name, notes: count(schema.note.id) })
      .from(schema.user)
      .leftJoin(schema.note, eq(schema.note.userId, schema.user.id))
      .groupBy(schema.user.id)
      .orderBy(schema.user.name),
  ]);
  return Response.json({ users: users[0]?.count, byUser });
}

export default {
  async fetch(request, environment) {
    const { origin, pathname } = new URL(request.url);
    const auth = authentication(environment, origin);
    if (pathname.startsWith("/api/auth/")) return await auth.handler(request);
    if (pathname === "/statistics") return await statistics(database(environment));
    if (pathname !== "/notes") return new Response("Not found\n", { status: 404 });
    const session = await auth.api.getSession({ headers: request.headers });
    if (session === null) return new Response("Sign in first\n", { status: 401 });
    return await notes(request, database(environment), session.user.id);
  },
} satisfies ExportedHandler<Environment>;
