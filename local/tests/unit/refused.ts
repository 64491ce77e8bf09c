import assert from "node:assert/strict";
import { Refusal } from "../../src/refusal.ts";

/** Asserts that `act` refuses with that code and a message that matches. */
export async function refused(code: number, message: RegExp, act: () => unknown): Promise<void> {
  await assert.rejects(
    async () => act(),
    (cause) => {
      assert.ok(cause instanceof Refusal, `not a refusal: ${String(cause)}`);
      assert.equal(cause.code, code, cause.message);
      assert.match(cause.message, message);
      return true;
    },
  );
}
