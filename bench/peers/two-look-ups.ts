// The plain TypeScript dispatcher: the first label is looked up as an environment, the next as a Worker.

const NAMESPACES: Record<string, string> = {
  staging: "DISPATCHER_STAGING",
  dev: "DISPATCHER_DEVELOPMENT",
  development: "DISPATCHER_DEVELOPMENT",
};

export default {
  async fetch(request, env) {
    const labels = new URL(request.url).hostname.split(".");
    const namespace = NAMESPACES[labels[0]];
    const name = namespace ? labels[1] : labels[0];
    try {
      return await env[namespace ?? "DISPATCHER_PRODUCTION"].get(name).fetch(request);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("Worker not found")) {
        return new Response("Not found", { status: 404 });
      }
      return new Response("Internal error", { status: 500 });
    }
  },
} satisfies ExportedHandler<Record<string, DispatchNamespace>>;
