import { code, type CodeName } from "./codes.ts";

/** A call that cannot be done as asked. It becomes the answer, in Cloudflare's envelope. */
export class Refusal extends Error {
  readonly code: number;
  readonly status: number;

  /** `message` says what happened, which input, and what to do now: wrangler prints it as it stands. */
  constructor(name: CodeName, message: string) {
    super(message);
    this.name = "Refusal";
    ({ code: this.code, status: this.status } = code(name));
  }
}
