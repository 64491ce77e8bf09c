import { getCloudflareContext } from "@opennextjs/cloudflare";
import { revalidatePath } from "next/cache";

/** Every order, oldest first. */
export async function GET(): Promise<Response> {
  const { env } = getCloudflareContext();
  const { results } = await env.DATABASE.prepare("SELECT id, product FROM orders ORDER BY id").all();
  return Response.json(results);
}

/** Creates an order from `{"product": "…"}`, and renders the page of its orders again. */
export async function POST(request: Request): Promise<Response> {
  const { product } = (await request.json()) as { product: string };
  const { env } = getCloudflareContext();
  const insert = env.DATABASE.prepare("INSERT INTO orders (product) VALUES (?) RETURNING id, product").bind(product);
  const order = await insert.first();
  revalidatePath(`/orders/${product}`);
  return Response.json(order, { status: 201 });
}
