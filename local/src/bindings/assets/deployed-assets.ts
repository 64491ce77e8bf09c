import type { Metadata } from "../../deploy/metadata.ts";
import type { Platform } from "../../platform.ts";
import { Refusal } from "../../refusal.ts";
import type { ScriptAddress, ScriptAssets } from "../../script.ts";
import { digestOf, readAllBytes } from "../../store/client.ts";
import { readAssetConfiguration } from "./configuration.ts";
import { type Manifest, encodeManifest } from "./manifest.ts";
import { readToken } from "./upload-token.ts";

/** The assets that come with a deploy. */
export interface DeployedAssets {
  /** What the version keeps of them. */
  readonly served: ScriptAssets;
  /** The manifest whose digest that names. */
  readonly encodedManifest: ArrayBuffer;
}

/** The assets that the completion token of an upload stands for. Refuses a token of another script, or one that is not complete. */
export async function deployedAssets(
  platform: Platform,
  address: ScriptAddress,
  assets: Metadata["assets"],
): Promise<DeployedAssets | null> {
  if (assets === null || assets.token === null) return null;
  const id = await readToken(platform.environment.LOCAL_API_TOKEN ?? "", assets.token, "completion", Date.now());
  const session = id === null ? null : await platform.store.assetSession(id);
  if (session?.namespace !== address.namespace || session.script !== address.script) {
    throw new Refusal(
      "ASSET_TOKEN_INVALID",
      "`assets.jwt` is not the completion token of an upload for this script, or it has expired. Upload the assets again.",
    );
  }
  const text = new TextDecoder().decode(await readAllBytes(platform.store, session.manifest));
  const encodedManifest = await encodeManifest(JSON.parse(text) as Manifest);
  const served = {
    manifest: await digestOf(encodedManifest),
    configuration: readAssetConfiguration(assets.configuration),
  };
  return { served, encodedManifest };
}
