import { buckets } from "../assets/buckets.ts";
import { readManifest, type Manifest } from "../assets/manifest.ts";
import { TOKEN_SECONDS, issueToken, readToken } from "../assets/upload-token.ts";
import { fromBase64, utf8 } from "../encoding.ts";
import { Refusal } from "../refusal.ts";
import { digestOf, keepBytes, readAllBytes } from "../store/bytes.ts";
import type { UploadedAsset } from "../store/asset-uploads.ts";
import { bearer } from "./access.ts";
import { addressOf, jsonObjectBody, type Call } from "./call.ts";
import { success } from "./envelope.ts";

/** Opens an upload of assets: answers which files must be sent, in groups, and the token to send them with. */
export async function openAssetUpload(call: Call): Promise<Response> {
  const address = addressOf(call);
  const { platform } = call;
  const manifest = readManifest((await jsonObjectBody(call))["manifest"]);
  const bytes = utf8(JSON.stringify(manifest));
  const digest = await digestOf(bytes);
  await keepBytes(platform.store, new Map([[digest, bytes]]));
  const now = Date.now();
  const session = { ...address, id: crypto.randomUUID(), manifest: digest, expiresAt: now + TOKEN_SECONDS * 1000 };
  const missing = await platform.store.openAssetSession(session, hashesOf(manifest));
  const use = missing.length === 0 ? "completion" : "upload";
  const jwt = await issueToken(platform.environment.LOCAL_API_TOKEN ?? "", session.id, use, now);
  return success({ jwt, buckets: buckets(manifest, missing) });
}

/** Takes files of an upload. The call that brings the last one answers the token that a deploy attaches them with. */
export async function uploadAssets(call: Call): Promise<Response> {
  const { platform, query, request } = call;
  const secret = platform.environment.LOCAL_API_TOKEN ?? "";
  const id = secret === "" ? null : await readToken(secret, bearer(request) ?? "", "upload", Date.now());
  const session = id === null ? null : await platform.store.assetSession(id);
  if (session === null) {
    throw new Refusal(
      "ASSET_TOKEN_INVALID",
      "The bearer token is not that of an asset upload, or it has expired. Open the upload again.",
    );
  }
  const manifest = JSON.parse(
    new TextDecoder().decode(await readAllBytes(platform.store, session.manifest)),
  ) as Manifest;
  const { assets, contents } = await readFiles(request, manifest, query.get("base64") === "true");
  await keepBytes(platform.store, contents);
  await platform.store.keepAssets(session, assets);
  const missing = await platform.store.missingAssets(session, hashesOf(manifest));
  if (missing.length > 0) return success({}, { status: 202 });
  return success({ jwt: await issueToken(secret, session.id, "completion", Date.now()) }, { status: 201 });
}

async function readFiles(
  request: Request,
  manifest: Manifest,
  base64: boolean,
): Promise<{ assets: UploadedAsset[]; contents: Map<string, ArrayBuffer> }> {
  let form: FormData;
  try {
    form = await request.formData();
  } catch (cause) {
    throw new Refusal(
      "BODY_INVALID",
      `The body is not a readable multipart form: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  const sizes = new Map(Object.values(manifest).map(({ hash, size }) => [hash, size]));
  const assets: UploadedAsset[] = [];
  const contents = new Map<string, ArrayBuffer>();
  for (const [hash, value] of form) {
    const size = sizes.get(hash);
    if (size === undefined)
      throw new Refusal(
        "ASSETS_INVALID",
        `The part ${JSON.stringify(hash)} is not the hash of a file in the upload's manifest.`,
      );
    const bytes = await fileBytes(hash, value, base64);
    if (bytes.byteLength !== size) {
      throw new Refusal(
        "ASSETS_INVALID",
        `The file ${hash} has ${bytes.byteLength} bytes, and the manifest announced ${size}. Open the upload again.`,
      );
    }
    const digest = await digestOf(bytes);
    contents.set(digest, bytes);
    assets.push({ hash, digest, contentType: contentTypeOf(value) });
  }
  return { assets, contents };
}

async function fileBytes(hash: string, value: string | File, base64: boolean): Promise<ArrayBuffer> {
  if (!base64) return typeof value === "string" ? utf8(value) : await value.arrayBuffer();
  try {
    return fromBase64(typeof value === "string" ? value : await value.text());
  } catch {
    throw new Refusal("ASSETS_INVALID", `The file ${hash} is not base64, although \`?base64=true\` says so.`);
  }
}

/** wrangler writes `application/null` where a file is to be served without a content type. */
function contentTypeOf(value: string | File): string | null {
  const type = typeof value === "string" ? "" : value.type;
  return type === "" || type === "application/null" ? null : type;
}

function hashesOf(manifest: Manifest): string[] {
  return [...new Set(Object.values(manifest).map(({ hash }) => hash))];
}
