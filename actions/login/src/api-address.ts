import { ActionFailure } from "../../step/failure.ts";

/** Hosts to which a credential may be sent without TLS. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Parses the address of the deploy API, as a person writes it.
 *
 * Throws a {@link ActionFailure} if it is not an address, or a connection to it would not be secure.
 */
export function parseApiAddress(text: string): URL {
  const invalid = (reason: string) =>
    new ActionFailure("The input api is not the address of a deploy API", [
      `${JSON.stringify(text)} ${reason}.`,
      "Write it as in `with: { api: https://deploy.example.com }`.",
    ]);
  if (text === "") throw invalid("is empty");
  if (!URL.canParse(text)) throw invalid("is not a URL");
  const url = new URL(text);
  const isSecure = url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.includes(url.hostname));
  if (!isSecure) throw invalid("is not an https URL");
  if (url.username || url.password) throw invalid("contains a credential");
  const path = url.pathname.replace(/\/+$/, "");
  if ((path !== "" && path !== "/client/v4") || url.search || url.hash) throw invalid("has a path or a query");
  return new URL(url.origin);
}
