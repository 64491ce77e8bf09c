import { Agent, callable, routeAgentRequest } from "agents";

interface Environment {
  readonly Reminders: DurableObjectNamespace<Reminders>;
  /** Which build this is. */
  readonly VERSION: string;
}

/** What every client of an agent sees. */
interface State {
  /** The texts of the reminders that are due, oldest first. */
  readonly due: readonly string[];
}

/** Texts that a person keeps: a dynamic agent of {@link Reminders}, at `/agents/reminders/{person}/sub/archive/{name}`. */
export class Archive extends Agent<Environment> {
  override onStart(): void {
    this.sql`CREATE TABLE IF NOT EXISTS texts (text TEXT NOT NULL)`;
  }

  /** Keeps a text. */
  @callable()
  keep(text: string): void {
    this.sql`INSERT INTO texts (text) VALUES (${text})`;
  }

  /** Keeps a text later. The alarm of the person's agent wakes this one. */
  @callable()
  async keepLater(text: string, seconds: number): Promise<void> {
    await this.schedule(seconds, "keep", text);
  }

  /** Every text, oldest first. */
  @callable()
  texts(): string[] {
    return this.sql<{ text: string }>`SELECT text FROM texts ORDER BY rowid`.map(({ text }) => text);
  }
}

/** A person's reminders, at `/agents/reminders/{person}`. */
export class Reminders extends Agent<Environment, State> {
  override initialState: State = { due: [] };

  override onStart(): void {
    this.sql`CREATE TABLE IF NOT EXISTS reminders (text TEXT NOT NULL, version TEXT NOT NULL)`;
  }

  /** `GET` returns what the agent knows; `POST` with `{"text": "…", "seconds": 5}` creates a reminder. */
  override async onRequest(request: Request): Promise<Response> {
    if (request.method === "POST") {
      const { text, seconds } = await request.json<{ text: string; seconds: number }>();
      return Response.json({ id: await this.remind(text, seconds) }, { status: 201 });
    }
    const waiting = await this.listSchedules();
    return Response.json({
      version: this.env.VERSION,
      name: this.name,
      state: this.state,
      // The version of the code that ran when each reminder became due.
      reminders: this.sql`SELECT text, version FROM reminders ORDER BY rowid`,
      waiting: waiting.map(({ id, payload }) => ({ id, text: payload })),
    });
  }

  /** Creates a reminder, and returns its id. */
  @callable()
  async remind(text: string, seconds: number): Promise<string> {
    const schedule = await this.schedule(seconds, "becomeDue", text);
    return schedule.id;
  }

  /** Cancels a reminder, and returns whether there was one. */
  @callable()
  async cancel(id: string): Promise<boolean> {
    return await this.cancelSchedule(id);
  }

  /** Keeps a text in the archive of a name, and returns every text in it. */
  @callable()
  async archive(name: string, text: string): Promise<string[]> {
    const archive = await this.dynamicAgents.get(Archive, name);
    await archive.keep(text);
    return await archive.texts();
  }

  /** Makes a reminder due. The alarm of the Durable Object calls this. */
  becomeDue(text: string): void {
    this.sql`INSERT INTO reminders (text, version) VALUES (${text}, ${this.env.VERSION})`;
    this.setState({ due: [...this.state.due, text] });
  }
}

export default {
  async fetch(request, environment) {
    const response = await routeAgentRequest(request, environment);
    return response ?? new Response("There is no such agent.\n", { status: 404 });
  },
} satisfies ExportedHandler<Environment>;
