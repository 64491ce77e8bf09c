import type { ScriptAddress } from "../script.ts";

/** What says which isolate: a script and the id of one of its versions. */
export interface VersionProps extends ScriptAddress {
  readonly version: string;
}

/** The name under which an isolate of that version is known to the Worker Loader. */
export function isolateName(
  kind: "script" | "assets" | "router",
  { namespace, script, version }: VersionProps,
): string {
  return `${kind}/${namespace}/${script}/${version}`;
}
