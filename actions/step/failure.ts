/** Why an action cannot do its work, for people. */
export class ActionFailure extends Error {
  /** A short description. */
  readonly title: string;
  /** What happened, and what to do, a sentence each. */
  readonly lines: readonly string[];
  /** The claims of the run, if it has an OIDC token. */
  readonly claims: Claims | undefined;

  constructor(title: string, lines: readonly string[], claims?: Claims) {
    super([title, ...lines].join("\n"));
    this.title = title;
    this.lines = lines;
    this.claims = claims;
  }
}

/** A failure that may not happen again. */
export class TransientFailure extends Error {
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super(message);
    this.retryAfter = retryAfter;
  }
}

/** The claims of an OIDC token. */
export type Claims = Readonly<Record<string, unknown>>;
