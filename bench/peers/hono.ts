// The same dispatcher on Hono, as Cloudflare's templates for Workers for Platforms are written.

import { Hono } from "hono";

const NAMESPACES: Record<string, string> = {
  staging: "DISPATCHER_STAGING",
  dev: "DISPATCHER_DEVELOPMENT",
  development: "DISPATCHER_DEVELOPMENT",
};

const app = new Hono<{ Bindings: Record<string, DispatchNamespace> }>();

app.all("*", async (c) => {
  const labels = new URL(c.req.url).hostname.split(".");
  const namespace = NAMESPACES[labels[0]];
  const name = namespace ? labels[1] : labels[0];
  return await c.env[namespace ?? "DISPATCHER_PRODUCTION"].get(name).fetch(c.req.raw);
});

app.onError((error, c) => {
  if (error.message.startsWith("Worker not found")) {
    return c.text("Not found", 404);
  }
  return c.text("Internal error", 500);
});

export default app;
