import { type Manifest, buckets, readManifest } from "../bindings/assets/manifest.ts";
import { TOKEN_SECONDS, issueToken, readToken } from "../bindings/assets/upload-token.ts";
import { fromBase64, utf8 } from "../encoding.ts";
import { Refusal } from "../refusal.ts";
import type { AssetSession, UploadedAsset } from "../store/asset-uploads.ts";
import { digestOf, keepBytes, readAllBytes } from "../store/client.ts";
import { bearer } from "./access.ts";
import { type Call, addressOf, jsonObjectBody, parameter } from "./call.ts";
import { success } from "./envelope.ts";

/** Opens an upload of assets: answers which files must be sent, in groups, and the token to send them with. */
export async function openAssetUpload(call: Call): Promise<Response> {
  const address = addressOf(call);
  const { platform } = call.var;
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
  const { session, manifest } = await openSession(call);
  const files = await readFiles(call.req.raw, manifest, (call.req.query("base64") ?? null) === "true");
  return await keepFiles(call, session, manifest, files);
}

/** Takes one file of an upload, as it is. The call that brings the last one answers as that of `uploadAssets` does. */
export async function uploadAsset(call: Call): Promise<Response> {
  const { session, manifest } = await openSession(call);
  const hash = parameter(call, "hash");
  const size = announcedSize(sizesOf(manifest), hash);
  const bytes = await call.req.raw.arrayBuffer();
  checkSize(hash, bytes, size);
  const digest = await digestOf(bytes);
  const contentType = servedType(call.req.raw.headers.get("content-type") ?? "");
  const files = { assets: [{ hash, digest, contentType }], contents: new Map([[digest, bytes]]) };
  return await keepFiles(call, session, manifest, files);
}

/** The session of the bearer token, and its manifest. */
async function openSession(call: Call): Promise<{ session: AssetSession; manifest: Manifest }> {
  const { platform } = call.var;
  const secret = platform.environment.LOCAL_API_TOKEN ?? "";
  const id = secret === "" ? null : await readToken(secret, bearer(call.req.raw) ?? "", "upload", Date.now());
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
  return { session, manifest };
}

/** Files of an upload, and their contents by digest. */
interface Files {
  readonly assets: UploadedAsset[];
  readonly contents: Map<string, ArrayBuffer>;
}

async function keepFiles(
  { var: { platform } }: Call,
  session: AssetSession,
  manifest: Manifest,
  { assets, contents }: Files,
): Promise<Response> {
  await keepBytes(platform.store, contents);
  await platform.store.keepAssets(session, assets);
  const missing = await platform.store.missingAssets(session, hashesOf(manifest));
  if (missing.length > 0) return success({}, { status: 202 });
  const secret = platform.environment.LOCAL_API_TOKEN ?? "";
  return success({ jwt: await issueToken(secret, session.id, "completion", Date.now()) }, { status: 201 });
}

async function readFiles(request: Request, manifest: Manifest, base64: boolean): Promise<Files> {
  let form: FormData;
  try {
    form = await request.formData();
  } catch (cause) {
    throw new Refusal(
      "BODY_INVALID",
      `The body is not a readable multipart form: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  const sizes = sizesOf(manifest);
  const assets: UploadedAsset[] = [];
  const contents = new Map<string, ArrayBuffer>();
  for (const [hash, value] of form) {
    const size = announcedSize(sizes, hash);
    const bytes = await fileBytes(hash, value, base64);
    checkSize(hash, bytes, size);
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

function contentTypeOf(value: string | File): string | null {
  return servedType(typeof value === "string" ? "" : value.type);
}

/** wrangler writes `application/null` where a file is to be served without a content type. */
function servedType(type: string): string | null {
  return type === "" || type === "application/null" ? null : type;
}

/** The announced sizes by hash, in bytes. */
function sizesOf(manifest: Manifest): ReadonlyMap<string, number> {
  return new Map(Object.values(manifest).map(({ hash, size }) => [hash, size]));
}

function announcedSize(sizes: ReadonlyMap<string, number>, hash: string): number {
  const size = sizes.get(hash);
  if (size !== undefined) return size;
  throw new Refusal("ASSETS_INVALID", `${JSON.stringify(hash)} is not the hash of a file in the upload's manifest.`);
}

function checkSize(hash: string, { byteLength }: ArrayBuffer, size: number): void {
  if (byteLength === size) return;
  throw new Refusal(
    "ASSETS_INVALID",
    `The file ${hash} has ${byteLength} bytes, and the manifest announced ${size}. Open the upload again.`,
  );
}

function hashesOf(manifest: Manifest): string[] {
  return [...new Set(Object.values(manifest).map(({ hash }) => hash))];
}
