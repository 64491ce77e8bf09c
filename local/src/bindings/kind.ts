import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import type { ScriptAddress, ScriptVersion } from "../script.ts";
import type { Binding } from "./binding.ts";

/** One kind of binding: how an upload describes it, and what a Worker gets. Each kind has a folder, see `kinds.ts`. */
export interface BindingKind<B extends Binding> {
  /** Reads a binding of an upload. Refuses what is malformed. */
  read(fields: BindingFields): B;
  /**
   * What the `env` of the isolate contains: data that can be cloned, or the stub of an entrypoint. Without it, `env` has no value
   * before `setup`.
   */
  value?(binding: B, worker: BoundWorker): unknown;
  /**
   * A module that runs in the isolate before the script. Its default export is called with the value and the name of each binding of
   * the kind, and returns the object that the script sees. It is a file `*.isolate.js`, imported as a text.
   */
  readonly setup?: string;
  /** The modules that `setup` imports, by the paths in its `import` statements. */
  readonly imports?: Readonly<Record<string, string>>;
}

/** The version of a script that gets a binding. */
export interface BoundWorker {
  readonly platform: Platform;
  readonly address: ScriptAddress;
  readonly version: ScriptVersion;
}

/** The fields of a binding in an upload. */
export class BindingFields {
  readonly name: string;
  readonly type: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(name: string, type: string, fields: Readonly<Record<string, unknown>>) {
    this.name = name;
    this.type = type;
    this.#fields = fields;
  }

  /** A field of any type; `undefined` if the upload does not have it. */
  value(field: string): unknown {
    return this.#fields[field];
  }

  /** A field that must be a string. */
  text(field: string): string {
    const found = this.#fields[field];
    if (typeof found === "string") return found;
    throw new Refusal("BINDING_INVALID", `The binding ${this.name} of type ${this.type} needs a string \`${field}\`.`);
  }
}
