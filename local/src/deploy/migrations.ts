import { Refusal } from "../refusal.ts";

/** The Durable Object classes of a script, each with the UUID under which its objects are stored. */
export type ObjectClasses = Readonly<Record<string, string>>;

/** The state before and after migrations. */
export interface MigrationState {
  readonly tag: string | null;
  readonly classes: ObjectClasses;
}

/**
 * Applies the `migrations` of an upload: they create, rename and delete classes, and must start from the script's tag. A
 * rename keeps the objects of a class, because they are stored under its UUID and not under its name.
 */
export function applyMigrations(state: MigrationState, migrations: unknown): MigrationState {
  if (migrations === undefined || migrations === null) return state;
  if (!isRecord(migrations)) throw invalid("`migrations` must be an object.");
  const oldTag = optionalString(migrations, "old_tag");
  if (oldTag !== (state.tag ?? undefined)) {
    throw new Refusal(
      "MIGRATION_TAG_MISMATCH",
      `The migrations start from the tag ${quoted(oldTag)}, but the last one of this Worker is ${quoted(state.tag ?? undefined)}. ` +
        "Read the script's migration_tag again and send only the migrations after it.",
    );
  }
  const steps = migrations["steps"] === undefined ? [migrations] : migrations["steps"];
  if (!Array.isArray(steps)) throw invalid("`migrations.steps` must be a list.");
  const classes = new Map(Object.entries(state.classes));
  for (const step of steps as unknown[]) applyStep(classes, step);
  return { tag: optionalString(migrations, "new_tag") ?? state.tag, classes: Object.fromEntries(classes) };
}

/** Applies `exports`, in which an upload declares its classes instead of migrations. */
export function applyDeclaredClasses(state: MigrationState, declared: unknown): MigrationState {
  if (!isRecord(declared)) return state;
  const classes = new Map(Object.entries(state.classes));
  for (const [name, value] of Object.entries(declared)) {
    if (!isRecord(value) || value["type"] !== "durable-object") continue;
    const renamedTo = value["renamed_to"];
    if (value["state"] === "renamed" && typeof renamedTo === "string") {
      const storage = classes.get(name);
      classes.delete(name);
      if (storage !== undefined) classes.set(renamedTo, storage);
    } else if (value["state"] === "deleted") {
      classes.delete(name);
    } else if (value["state"] === undefined || value["state"] === "created") {
      if (!classes.has(name)) classes.set(name, crypto.randomUUID());
    } else {
      throw transferRefused(name);
    }
  }
  return { tag: state.tag, classes: Object.fromEntries(classes) };
}

function applyStep(classes: Map<string, string>, step: unknown): void {
  if (!isRecord(step)) throw invalid("each step of `migrations` must be an object.");
  for (const name of [...strings(step, "new_classes"), ...strings(step, "new_sqlite_classes")]) {
    if (classes.has(name)) {
      throw invalid(
        `cannot apply new-class migration to class '${name}' that is already depended on by existing Durable Objects.`,
      );
    }
    classes.set(name, crypto.randomUUID());
  }
  for (const { from, to } of pairs(step, "renamed_classes")) {
    const storage = classes.get(from);
    if (storage === undefined) throw invalid(`cannot rename class '${from}', which this Worker does not have.`);
    if (classes.has(to)) throw invalid(`cannot rename class '${from}' to '${to}', which this Worker already has.`);
    classes.delete(from);
    classes.set(to, storage);
  }
  for (const name of strings(step, "deleted_classes")) {
    if (!classes.delete(name)) throw invalid(`cannot delete class '${name}', which this Worker does not have.`);
  }
  const [transferred] = pairs(step, "transferred_classes");
  if (transferred) throw transferRefused(transferred.from);
}

function transferRefused(name: string): Refusal {
  return new Refusal(
    "NOT_SIMULATED",
    `The class ${name} is to be transferred from or to another script, which the local platform does not simulate. Deploy to a remote namespace.`,
  );
}

function strings(step: Record<string, unknown>, field: string): string[] {
  const value = step[field] ?? [];
  if (Array.isArray(value) && value.every((name) => typeof name === "string" && name !== "")) return value as string[];
  throw invalid(`\`${field}\` must be a list of class names.`);
}

function pairs(step: Record<string, unknown>, field: string): { from: string; to: string }[] {
  const value = step[field] ?? [];
  if (!Array.isArray(value)) throw invalid(`\`${field}\` must be a list.`);
  return (value as unknown[]).map((pair) => {
    if (isRecord(pair) && typeof pair["from"] === "string" && typeof pair["to"] === "string") {
      return { from: pair["from"], to: pair["to"] };
    }
    throw invalid(`each element of \`${field}\` must have a \`from\` and a \`to\`.`);
  });
}

function optionalString(record: Record<string, unknown>, field: string): string | undefined {
  const value = record[field];
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return value;
  throw invalid(`\`${field}\` must be a string.`);
}

function quoted(tag: string | undefined): string {
  return tag === undefined ? "(none)" : JSON.stringify(tag);
}

function invalid(what: string): Refusal {
  return new Refusal("MIGRATION_INVALID", `The Durable Object migrations cannot be applied: ${what}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
