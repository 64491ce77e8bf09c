// The user Worker behind every dispatcher. A load uses one method; `PATCH` and `DELETE` are for the parity check.

export default {
  async fetch(request, _env, ctx) {
    switch (request.method) {
      case "PUT":
        return new Response(request.body);
      case "POST":
        return new Response(String((await request.arrayBuffer()).byteLength));
      case "PATCH":
        return new Response(null, { status: 302, headers: { Location: request.headers.get("Redirect-To") } });
      case "DELETE":
        throw new Error(request.headers.get("Throw"));
      default:
        return new Response(ctx.props.name);
    }
  },
};
