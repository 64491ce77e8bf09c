import { getCloudflareContext } from "@opennextjs/cloudflare";
import { headers } from "next/headers";
import { notFound } from "next/navigation";

const PRICES: Readonly<Record<string, number>> = { apple: 40, pear: 55 };

/** A product, which is rendered for each request. */
export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const price = PRICES[id];
  if (price === undefined) notFound();
  const { env } = getCloudflareContext();
  const customer = (await headers()).get("x-customer") ?? "customer";
  return (
    <main>
      <h1>{`${id} for ${customer}`}</h1>
      <p>{`${price} cents in ${env.PLACE}, version ${env.VERSION}`}</p>
    </main>
  );
}
