import { destination } from "./destination.ts";

interface Environment {
  /** The deploy API, or in tests of the REST API itself the local platform. */
  readonly API: Fetcher;
  /** The dispatch Worker. */
  readonly DISPATCHER: Fetcher;
  /** The local platform. */
  readonly LOCAL: Fetcher;
  /** The secret of the requests that come through the platform's port. */
  readonly FRONT_SECRET: string;
}

/** The header with the secret, which the platform's port adds: `xtask/src/platform/guard.rs`. */
const SECRET_HEADER = "x-dotdo-front-secret";

/** Passes on the request and the response with their streams, their WebSockets, and the signal of a client that goes away. */
export default {
  fetch(request, environment) {
    const headers = new Headers(request.headers);
    if (environment.FRONT_SECRET === "" || headers.get(SECRET_HEADER) !== environment.FRONT_SECRET) {
      return new Response("This port belongs to the runtime. Use the port that `npm run dev` prints.\n", { status: 403 });
    }
    headers.delete(SECRET_HEADER);
    const passed = new Request(request, { headers });
    const { method, url } = passed;
    return environment[destination({ method, url, accept: headers.get("accept") })].fetch(passed);
  },
} satisfies ExportedHandler<Environment>;
