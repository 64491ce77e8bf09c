import { Refusal } from "../refusal.ts";
import type { Binding } from "./binding.ts";

/** The products whose data is stored in objects of miniflare. */
export type StorageKind = "kv" | "d1" | "r2";

/** A KV namespace, a D1 database or an R2 bucket. */
export interface StorageAddress {
  readonly kind: StorageKind;
  /** The namespace id, the database id, or the name of the bucket, after its jurisdiction and a dot if it has one. */
  readonly id: string;
}

/** The characters of Cloudflare's ids, and of ids that people invent for local use. */
const ID = /^[\w-][\w.-]{0,127}$/;

/** Whether a text can be the id of a resource. */
export function isStorageId(id: string): boolean {
  return ID.test(id);
}

/** Refuses an id that cannot be one, such as a placeholder. `field` is where the upload has it. */
export function checkStorageId(name: string, field: string, id: string): void {
  if (isStorageId(id)) return;
  throw new Refusal(
    "BINDING_INVALID",
    `The \`${field}\` of the binding ${name} is ${JSON.stringify(id.slice(0, 150))}. Use at most 128 letters, digits, dashes, ` +
      "underscores and dots. On the local platform, an id that does not exist yet becomes a new, empty resource.",
  );
}

/** The storage of a bucket. */
export function bucketAddress(bucket: { readonly bucket_name: string; readonly jurisdiction?: string }): StorageAddress {
  const { bucket_name: name, jurisdiction } = bucket;
  return { kind: "r2", id: jurisdiction === undefined ? name : `${jurisdiction}.${name}` };
}

/** The storage of each binding that has one. */
export function boundStorage(bindings: readonly Binding[]): StorageAddress[] {
  return bindings.flatMap((binding): StorageAddress[] => {
    switch (binding.type) {
      case "kv_namespace":
        return [{ kind: "kv", id: binding.namespace_id }];
      case "d1":
        return [{ kind: "d1", id: binding.id }];
      case "r2_bucket":
        return [bucketAddress(binding)];
      default:
        return [];
    }
  });
}
