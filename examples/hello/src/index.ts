interface Environment {
  /** A variable of `wrangler.jsonc`. */
  readonly GREETING: string;
}

/** Responds with a greeting and the request's host and path. */
export default {
  fetch(request: Request, environment: Environment): Response {
    const { hostname, pathname } = new URL(request.url);
    return new Response(`${environment.GREETING} from ${hostname}${pathname}\n`);
  },
};
