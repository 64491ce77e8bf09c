import { Refusal } from "../refusal.ts";

/** What to use on this machine instead of a type of binding that is not simulated. */
const ALTERNATIVES: Readonly<Record<string, string>> = {
  ai: "Call the REST API of Workers AI with fetch, with an account's token in a secret.",
  browser: "Run a browser on this machine, for example with Playwright, and call it with fetch.",
  hyperdrive: "Put the database's address into a secret, and connect to it directly with `cloudflare:sockets` or a driver that uses it.",
  images: "Deploy the images in the sizes that the Worker needs as static assets.",
  mtls_certificate: "Call a test server that needs no client certificate.",
  vectorize: "Store the vectors in D1 or in a Durable Object, and compare them in the Worker.",
  workflow: "Use a Durable Object whose alarm runs the steps and stores the result of each.",
};

const GENERAL_ALTERNATIVE =
  "Remove it from the Worker's configuration for local use, for example in a separate environment, or deploy to a remote namespace.";

/** The refusal of a binding whose type the local platform does not simulate. */
export function notSimulated(name: string, type: unknown): Refusal {
  const alternative = (typeof type === "string" ? ALTERNATIVES[type] : undefined) ?? GENERAL_ALTERNATIVE;
  return new Refusal(
    "NOT_SIMULATED",
    `The binding ${name} of type ${JSON.stringify(type)} is not simulated by the local platform. ${alternative}`,
  );
}
