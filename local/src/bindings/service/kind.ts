import { Refusal } from "../../refusal.ts";
import type { Binding } from "../binding.ts";
import type { BindingFields, BindingKind } from "../kind.ts";
import { SPECIAL_TARGETS } from "./targets.ts";

/** The target of a service binding: the props of the host entrypoint `AccountService`. */
export interface ServiceProps {
  /** The name of the account Worker. */
  readonly service: string;
  /** The name of one of its entrypoints; `null` for the default one. */
  readonly entrypoint: string | null;
  /** What the target gets as `ctx.props`. */
  readonly props: Readonly<Record<string, unknown>> | null;
  /** The name of the binding, for errors. */
  readonly binding: string;
}

/** The binding to a Worker of the account. As on Cloudflare, it never reaches a Worker of a dispatch namespace. */
export const service: BindingKind<Extract<Binding, { type: "service" }>> = {
  read(fields) {
    const environment = fields.value("environment");
    if (environment !== undefined && environment !== "production") {
      throw new Refusal(
        "NOT_SIMULATED",
        `The binding ${fields.name} is for the environment ${JSON.stringify(environment)} of a Worker. The local platform has no such ` +
          "environments: bind to the Worker by its own name, such as `api-staging`.",
      );
    }
    const entrypoint = optionalText(fields, "entrypoint");
    const props = fields.value("props");
    if (props !== undefined && (typeof props !== "object" || props === null || Array.isArray(props))) {
      throw new Refusal("BINDING_INVALID", `\`props\` of the binding ${fields.name} must be an object.`);
    }
    return {
      type: "service",
      name: fields.name,
      service: fields.text("service"),
      ...(entrypoint === undefined ? {} : { entrypoint }),
      ...(props === undefined ? {} : { props: props as Record<string, unknown> }),
    };
  },
  value(binding, worker) {
    const special = SPECIAL_TARGETS[binding.service];
    if (special !== undefined) return special(binding, worker);
    const props: ServiceProps = {
      service: binding.service,
      entrypoint: binding.entrypoint ?? null,
      props: binding.props ?? null,
      binding: binding.name,
    };
    return worker.platform.entrypoint("AccountService", props);
  },
};

function optionalText(fields: BindingFields, field: string): string | undefined {
  const value = fields.value(field);
  return value === undefined || value === null ? undefined : fields.text(field);
}
