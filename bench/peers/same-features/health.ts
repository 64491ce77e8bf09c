import { BINDINGS } from "./environments";
import { type Env, OWN_HEADERS } from "./failure";

export function isHealthRequest({ method, url }: Request): boolean {
  return (method === "GET" || method === "HEAD") && new URL(url).pathname === "/.well-known/dispatcher";
}

export function health(request: Request, env: Env): Response {
  const environments = Object.fromEntries(
    Object.entries(BINDINGS).map(([name, binding]) => [name, { binding, present: binding in env }]),
  );
  const body = request.method === "HEAD" ? null : JSON.stringify({ version: "0.1.0", environments });
  return new Response(body, { headers: { "Content-Type": "application/json", ...OWN_HEADERS } });
}
