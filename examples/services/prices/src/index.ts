import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

interface Environment {
  readonly CURRENCY: string;
}

/** Prices in hundredths of the currency. */
const PRICES: Readonly<Record<string, number>> = { apple: 40, pear: 55 };

/** A sum that the caller adds articles to. It lives until the caller does not use it any more. */
class Quote extends RpcTarget {
  #total = 0;

  add(article: string, count: number): void {
    const price = PRICES[article];
    if (price === undefined) throw new RangeError(`There is no price for ${article}.`);
    this.#total += price * count;
  }

  get total(): number {
    return this.#total;
  }
}

/** What other Workers of the namespace call. A named entrypoint could not be bound to, because a namespace returns only the default one. */
export default class Prices extends WorkerEntrypoint<Environment> {
  override fetch(): Response {
    return Response.json(PRICES);
  }

  get currency(): string {
    return this.env.CURRENCY;
  }

  quote(): Quote {
    return new Quote();
  }
}
