import { getCloudflareContext } from "@opennextjs/cloudflare";

/** Seconds. */
export const revalidate = 3600;

/** The build renders none of these pages. */
export function generateStaticParams(): { product: string }[] {
  return [];
}

/** The number of orders of a product. The page is cached until there is another order. */
export default async function Page({ params }: { params: Promise<{ product: string }> }) {
  const { product } = await params;
  const { env } = getCloudflareContext();
  const select = env.DATABASE.prepare("SELECT count(*) AS count FROM orders WHERE product = ?").bind(product);
  return <p>{`${await select.first<number>("count")} orders of ${product}`}</p>;
}
