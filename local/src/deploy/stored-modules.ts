import { utf8 } from "../encoding.ts";
import type { MainModule, StoredModule } from "../script.ts";
import { digestOf } from "../store/bytes.ts";
import type { UploadedModule } from "./module.ts";

/** Modules as a version refers to them, and their bytes by digest. */
export interface ModulesToStore {
  readonly modules: readonly StoredModule[];
  readonly contents: ReadonlyMap<string, ArrayBuffer>;
  /** SHA-256 over all of it, in hexadecimal. */
  readonly etag: string;
}

/** Works out the digests of modules. */
export async function modulesToStore(
  main: MainModule | null,
  uploaded: readonly UploadedModule[],
): Promise<ModulesToStore> {
  const contents = new Map<string, ArrayBuffer>();
  const modules: StoredModule[] = [];
  for (const { name, contentType, bytes } of uploaded) {
    const digest = await digestOf(bytes);
    contents.set(digest, bytes);
    modules.push({ name, contentType, digest, size: bytes.byteLength });
  }
  const etag = await digestOf(utf8(JSON.stringify([main, modules])));
  return { modules, contents, etag };
}
