import type { ScriptAddress } from "../../script.ts";

/** A Durable Object class of a script. */
export interface ObjectNamespaceProps extends ScriptAddress {
  /** The UUID under which the class stores its objects. A rename of the class does not change it. */
  readonly storage: string;
}

/** The header that says how the caller names the object: see {@link isCalled}. It ends at the host of the object. */
export const CALLED_HEADER = "x-local-platform-called";

/** Whether a text says how a caller names an object: `unnamed`, or `named` and the name in a URI encoding. */
export function isCalled(text: string): boolean {
  return text === "unnamed" || text.startsWith("named ");
}
