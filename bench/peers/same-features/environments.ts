export type Environment = "production" | "staging" | "development";

export type Binding = "DISPATCHER_PRODUCTION" | "DISPATCHER_STAGING" | "DISPATCHER_DEVELOPMENT";

export const BINDINGS: Record<Environment, Binding> = {
  production: "DISPATCHER_PRODUCTION",
  staging: "DISPATCHER_STAGING",
  development: "DISPATCHER_DEVELOPMENT",
};

const HOST_LABELS = new Map<string, Environment>([
  ["staging", "staging"],
  ["dev", "development"],
  ["development", "development"],
]);

export function ofHostLabel(label: string): Environment | undefined {
  return HOST_LABELS.get(label);
}

export function ofName(name: string): Environment | undefined {
  return Object.hasOwn(BINDINGS, name) ? (name as Environment) : undefined;
}

const RESERVED = new Set([
  "staging", "dev", "development",
  "art", "com", "edu", "gob", "gov", "mil", "net", "org", "sld", "web",
]);

/** Why a Worker name is not valid; `undefined` if it is. */
export function invalidWorker(name: string): string | undefined {
  if (name.length === 0) return "a Worker name must not be empty";
  if (name.length > 63) return "a Worker name has at most 63 characters";
  if (!/^[a-z0-9-]+$/.test(name)) return "a Worker name has only a-z, 0-9 and '-'";
  if (name.startsWith("-") || name.endsWith("-")) return "a Worker name must not begin or end with '-'";
  if (name.includes("--")) return "a Worker name must not contain '--', which separates a Worker from an environment in a host";
  if (RESERVED.has(name)) return "the name is reserved";
  return undefined;
}

/** A label of a host, or a part of one between `--`, that names another environment. The last label is not considered. */
export function otherEnvironment(host: string, environment: Environment): string | undefined {
  const labels = host.slice(0, host.lastIndexOf("."));
  for (const label of labels.split(".")) {
    for (const part of label.includes("--") ? label.split("--") : [label]) {
      const trimmed = part.replace(/^-+|-+$/g, "");
      const named = HOST_LABELS.get(trimmed);
      if (named !== undefined && named !== environment) return trimmed;
    }
  }
  return undefined;
}
