// The user Worker behind every dispatcher: it says its name, counts what is posted, and echoes what is put.

export default {
  async fetch(request, _env, ctx) {
    switch (request.method) {
      case "PUT":
        return new Response(request.body);
      case "POST":
        return new Response(String((await request.arrayBuffer()).byteLength));
      default:
        return new Response(ctx.props.name);
    }
  },
};
