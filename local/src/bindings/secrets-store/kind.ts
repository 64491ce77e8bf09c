import type { Binding } from "../binding.ts";
import type { BindingKind } from "../kind.ts";
import type { StoreSecretProps } from "./stores.ts";

/** A secret of a Secrets Store of the account. */
export const secretsStoreSecret: BindingKind<Extract<Binding, { type: "secrets_store_secret" }>> = {
  read: (fields) => ({
    type: "secrets_store_secret",
    name: fields.name,
    store_id: fields.text("store_id"),
    secret_name: fields.text("secret_name"),
  }),
  value({ store_id: storeId, secret_name: secretName }, { platform }) {
    const props: StoreSecretProps = { storeId, secretName };
    return platform.entrypoint("StoreSecret", props);
  },
};
