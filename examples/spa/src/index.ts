interface Environment {
  readonly ASSETS: Fetcher;
  readonly GREETING: string;
}

/** The API of the application. Files and pages are static assets, for which this Worker does not run. */
export default {
  async fetch(request, environment) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/api/greeting") return Response.json({ error: `There is no ${pathname}.` }, { status: 404 });
    if (request.method !== "GET") return Response.json({ error: "Use GET." }, { status: 405, headers: { allow: "GET" } });
    const name = searchParams.get("name") ?? "world";
    return Response.json({ greeting: `${environment.GREETING}, ${name}!` });
  },
} satisfies ExportedHandler<Environment>;
