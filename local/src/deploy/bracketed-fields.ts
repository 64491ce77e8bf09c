/**
 * Rebuilds an object from form fields such as `metadata[bindings][][name]`, which is how Cloudflare's TypeScript SDK
 * sends one: `[key]` is a field, `[]` appends to a list, and a key that comes a second time begins the list's next
 * element. Values stay strings, because the form does not say what they were.
 */
export function bracketedFields(
  prefix: string,
  fields: readonly (readonly [string, string])[],
): Record<string, unknown> {
  const root: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of fields) {
    const keys = keysOf(prefix, name);
    if (keys) place(root, keys, value);
  }
  return root;
}

/** True for a field that {@link bracketedFields} would take. */
export function isBracketed(prefix: string, name: string): boolean {
  return keysOf(prefix, name) !== null;
}

function keysOf(prefix: string, name: string): string[] | null {
  if (!name.startsWith(`${prefix}[`) || !name.endsWith("]")) return null;
  return name.slice(prefix.length + 1, -1).split("][");
}

function place(target: Record<string, unknown>, [key = "", next, ...rest]: readonly string[], value: string): void {
  if (next === undefined) {
    target[key] = value;
  } else if (next === "") {
    const list = (target[key] ??= []);
    if (Array.isArray(list)) append(list, rest, value);
  } else {
    const inner = (target[key] ??= Object.create(null));
    if (isRecord(inner)) place(inner, [next, ...rest], value);
  }
}

function append(list: unknown[], keys: readonly string[], value: string): void {
  if (keys.length === 0) {
    list.push(value);
    return;
  }
  const last: unknown = list.at(-1);
  if (isRecord(last) && !isTaken(last, keys)) {
    place(last, keys, value);
    return;
  }
  const element = Object.create(null) as Record<string, unknown>;
  list.push(element);
  place(element, keys, value);
}

/** Whether the value at that path is there already; a list always takes one more. */
function isTaken(target: Record<string, unknown>, [key = "", next, ...rest]: readonly string[]): boolean {
  const found = target[key];
  if (found === undefined || next === "") return false;
  return next === undefined || !isRecord(found) || isTaken(found, [next, ...rest]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
