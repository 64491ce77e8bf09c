/** Seconds after which the page is stale. */
export const revalidate = 2;

/** A page that is cached, and rendered again in the background when it is stale. */
export default function Page() {
  return <p>{`counted at ${Date.now()}`}</p>;
}
