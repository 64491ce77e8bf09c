import { Refusal } from "../refusal.ts";
import type { ScriptAddress } from "../script.ts";

/** The refusal for a script that does not exist. */
export function scriptNotFound({ namespace, script }: ScriptAddress): Refusal {
  return new Refusal(
    "SCRIPT_NOT_FOUND",
    `This Worker does not exist in the dispatch namespace: ${script} in ${namespace}.`,
  );
}
