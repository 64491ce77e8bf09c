import type { Binding } from "../binding.ts";
import type { BindingKind } from "../kind.ts";
import { type StorageAddress, checkStorageId } from "../storage.ts";
import databaseModule from "./database.isolate.js";

/** A D1 database. */
export const d1: BindingKind<Extract<Binding, { type: "d1" }>> = {
  read(fields) {
    // wrangler sends `id`, and Cloudflare's API also accepts and returns `database_id`.
    const field = fields.value("id") === undefined && fields.value("database_id") !== undefined ? "database_id" : "id";
    const id = fields.text(field);
    checkStorageId(fields.name, field, id);
    return { type: "d1", name: fields.name, id };
  },
  value({ id }, { platform }) {
    const props: StorageAddress = { kind: "d1", id };
    return { unused: platform.environment.D1, host: platform.entrypoint("StorageObject", props) };
  },
  setup: databaseModule,
};
