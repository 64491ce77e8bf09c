import type Prices from "../../prices/src/index.ts";

interface Environment {
  readonly PRICES: Service<typeof Prices>;
}

export default {
  async fetch(request, { PRICES }) {
    // A request without a body gets the list of prices.
    if (request.body === null) return await PRICES.fetch(request);
    const articles = (await request.json()) as Record<string, number>;
    // With `using`, the object in the other Worker ends with this block.
    using quote = await PRICES.quote();
    try {
      for (const [article, count] of Object.entries(articles)) await quote.add(article, count);
    } catch (cause) {
      return Response.json({ error: cause instanceof Error ? cause.message : String(cause) }, { status: 400 });
    }
    return Response.json({ total: await quote.total, currency: await PRICES.currency });
  },
} satisfies ExportedHandler<Environment>;
