import { destination } from "./destination.ts";

interface Environment {
  /** The deploy API, or in tests of the REST API itself the local platform. */
  readonly API: Fetcher;
  /** The dispatch Worker. */
  readonly DISPATCHER: Fetcher;
  /** The local platform. */
  readonly LOCAL: Fetcher;
}

/** The request and the response are passed on untouched: streams, WebSockets and a client's going away with them. */
export default {
  fetch(request, environment) {
    const { method, url, headers } = request;
    return environment[destination({ method, url, accept: headers.get("accept") })].fetch(request);
  },
} satisfies ExportedHandler<Environment>;
