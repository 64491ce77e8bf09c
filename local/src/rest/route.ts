import type { Call } from "./call.ts";

/** The methods that the REST API knows. */
export type Method = "GET" | "PUT" | "POST" | "PATCH" | "DELETE";

/** What answers a call. */
export type Handler = (call: Call) => Promise<Response> | Response;

/** One path and what answers it. */
export interface Route {
  /** Segments after `/client/v4`; `:name` takes one, and a `*` at the end takes the rest, also an empty one. */
  readonly path: string;
  readonly methods: Readonly<Partial<Record<Method, Handler>>>;
  /** Whether the call proves itself by the token of an asset upload instead of the platform's. */
  readonly ownToken?: true;
}

/** A route and the named parts of the path that it matched. */
export interface MatchedRoute {
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The first route whose path matches `path`, which begins after `/client/v4`. */
export function matchRoute(routes: readonly Route[], path: string): MatchedRoute | null {
  const segments = path.split("/").filter((segment) => segment !== "");
  for (const route of routes) {
    const parameters = match(route.path, segments);
    if (parameters) return { route, parameters };
  }
  return null;
}

function match(pattern: string, segments: readonly string[]): Record<string, string> | null {
  const parameters: Record<string, string> = {};
  const parts = pattern.split("/").filter((part) => part !== "");
  const open = parts.at(-1) === "*";
  if (open ? segments.length < parts.length - 1 : segments.length !== parts.length) return null;
  for (const [index, part] of parts.entries()) {
    if (part === "*") break;
    const segment = segments[index] ?? "";
    if (!part.startsWith(":")) {
      if (part !== segment) return null;
      continue;
    }
    try {
      parameters[part.slice(1)] = decodeURIComponent(segment);
    } catch {
      return null;
    }
  }
  return parameters;
}
