import type { Binding } from "../binding.ts";
import type { BindingKind } from "../kind.ts";

/** The static assets of the version itself: an entrypoint of `workers.ts`. */
export const assets: BindingKind<Extract<Binding, { type: "assets" }>> = {
  read: ({ name }) => ({ type: "assets", name }),
  value: (_binding, { platform, address, version }) => platform.entrypoint("Assets", { ...address, version: version.id }),
};
