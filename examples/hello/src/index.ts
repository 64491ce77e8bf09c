interface Environment {
  /** A variable of `wrangler.jsonc`. */
  readonly GREETING: string;
}

/** Greets, and says which URL it was asked for. */
export default {
  fetch(request: Request, environment: Environment): Response {
    const { hostname, pathname } = new URL(request.url);
    return new Response(`${environment.GREETING} from ${hostname}${pathname}\n`);
  },
};
