import type { Order, OrderState } from "./order.ts";

interface Env {
  readonly ORDERS: Queue<Order>;
  readonly STATES: KVNamespace;
}

export default {
  async fetch(request, env) {
    if (request.method === "POST") return await accept(request, env);
    const id = new URL(request.url).pathname.slice(1);
    const state = id === "" ? null : await env.STATES.get<OrderState>(id, "json");
    return state === null ? Response.json({ error: "There is no such order." }, { status: 404 }) : Response.json(state);
  },
} satisfies ExportedHandler<Env>;

/** Sends an order to the queue. Only the consumer finds out whether it can be processed. */
async function accept(request: Request, { ORDERS, STATES }: Env): Promise<Response> {
  const { item, quantity } = await request.json<Partial<Order>>();
  if (typeof item !== "string" || typeof quantity !== "number") {
    return Response.json({ error: "Send an `item` and a `quantity`." }, { status: 400 });
  }
  const id = crypto.randomUUID();
  const state: OrderState = { state: "waiting", item, attempts: 0 };
  await STATES.put(id, JSON.stringify(state));
  await ORDERS.send({ id, item, quantity });
  return Response.json({ id }, { status: 202 });
}
