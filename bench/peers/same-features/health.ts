import { BINDINGS } from "./environments";
import type { Env } from "./failure";

export function asksForHealth(url: string): boolean {
  return new URL(url).pathname === "/.well-known/dispatcher";
}

export function health(_request: Request, env: Env): Response {
  const environments = Object.fromEntries(
    Object.entries(BINDINGS).map(([name, binding]) => [name, { binding, present: binding in env }]),
  );
  return Response.json({ version: "0.1.0", environments }, { headers: { "Cache-Control": "no-store" } });
}
