// Redirects of a Worker whose path prefix was stripped: `Location: /about` must not leave the prefix.

/** The response with the prefix restored in `Location`, if it is an absolute path or a URL of the same host. */
export function withPrefixInLocation(response: Response, url: string, prefix: string): Response {
  if (response.status === 101) return response;
  const location = response.headers.get("Location");
  const restored = location === null ? undefined : restoredLocation(location, url, prefix);
  if (restored === undefined) return response;
  const rebuilt = new Response(response.body, response);
  rebuilt.headers.set("Location", restored);
  return rebuilt;
}

function restoredLocation(location: string, url: string, prefix: string): string | undefined {
  const [, origin = "", host, path] = /^(https?:\/\/([^/?#]*))?(\/(?!\/).*)?$/i.exec(location) ?? [];
  if (host !== undefined && host.toLowerCase() !== new URL(url).host) return undefined;
  if (path === undefined) return host === undefined ? undefined : `${origin}${prefix}/`;
  const after = path[prefix.length];
  const hasPrefix = path.startsWith(prefix) && (after === undefined || "/?#".includes(after));
  return hasPrefix ? undefined : `${origin}${prefix}${path}`;
}
