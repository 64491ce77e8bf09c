import type { Destination } from "./destination.ts";

/** What a request says about the web page that sent it. */
export interface Sender {
  readonly method: string;
  /** The URL that the client asked for, with the host of its `Host` header. */
  readonly url: string;
  readonly headers: Headers;
}

/**
 * Why a request is refused, or `null`. A web page elsewhere must not cause or read anything on this machine, so a request is refused
 * that a browser marks as sent by a page of another origin.
 *
 * - The API accepts pages of its own origin only, and the start page and the Workers those of this machine: `localhost`,
 *   `127.0.0.1`, `[::1]` and names under `.localhost`.
 * - A link elsewhere may lead to the start page and to a Worker: the browser then shows the answer, and the page elsewhere cannot
 *   read it.
 * - Under other names (`Host: hello.do`) only programs are answered. A page elsewhere can have such a name and let it point to
 *   this machine.
 */
export function refusal(sender: Sender, destination: Destination): string | null {
  const { origin: own, hostname } = new URL(sender.url);
  const origin = sender.headers.get("origin");
  const site = sender.headers.get("sec-fetch-site");
  if (destination === "API") {
    const isForeign = (origin !== null && origin !== own) || site === "cross-site" || site === "same-site";
    return isForeign ? `The API does not answer web pages of other origins${quoted(origin)}.` : null;
  }
  if (origin !== null && !isOfThisMachine(origin)) {
    return `The local platform does not answer web pages of other machines${quoted(origin)}.`;
  }
  if (!isLocalName(hostname)) {
    const isBrowser = site !== null || /^Mozilla\//.test(sender.headers.get("user-agent") ?? "");
    return isBrowser
      ? `A browser reaches the local platform under localhost and names that end in .localhost only, and not as ${hostname}.`
      : null;
  }
  const referrer = sender.headers.get("referer");
  const isOfLocalPage = origin !== null || (referrer !== null && isOfThisMachine(referrer));
  if (site === "cross-site" && !isOfLocalPage && !followsLink(sender)) {
    return "The local platform does not answer web pages of other machines.";
  }
  return null;
}

/** Whether the browser opens a page because of a link, a redirect or the address bar. */
function followsLink({ method, headers }: Sender): boolean {
  return (method === "GET" || method === "HEAD") && headers.get("sec-fetch-dest") === "document";
}

/** Whether a URL is one of this machine. `null`, the origin of a page without one, is not. */
function isOfThisMachine(url: string): boolean {
  return URL.canParse(url) && isLocalName(new URL(url).hostname);
}

/** Whether browsers never ask a name server for this name. */
function isLocalName(hostname: string): boolean {
  return (
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}

function quoted(origin: string | null): string {
  return origin === null ? "" : ` (Origin: ${origin.slice(0, 100)})`;
}
