import { utf8 } from "../encoding.ts";
import { Refusal } from "../refusal.ts";
import { type UploadedModule, checkModuleName } from "./modules.ts";

/** The content of a multipart body: a JSON document and modules. */
export interface UploadForm {
  readonly document: Record<string, unknown>;
  readonly modules: readonly UploadedModule[];
}

/** The most parts of a body. No bundle has as many. */
const MAX_PARTS = 3000;

/**
 * Reads a multipart body. Its JSON document is the part `documentName`. A module has the name of its part, or that of its
 * file if the part is called `files`, as in Cloudflare's SDK.
 */
export async function readUploadForm(request: Request, documentName: string): Promise<UploadForm> {
  const parts = [...(await readForm(request))];
  if (parts.length > MAX_PARTS) {
    throw new Refusal(
      "BODY_INVALID",
      `The body has ${parts.length} parts, and the most is ${MAX_PARTS}. Bundle the modules.`,
    );
  }
  const documents: string[] = [];
  const fields: [string, string][] = [];
  const modules = new Map<string, UploadedModule>();
  for (const [name, value] of parts) {
    if (name === documentName) {
      documents.push(typeof value === "string" ? value : await value.text());
    } else if (typeof value === "string" && isBracketed(documentName, name)) {
      fields.push([name, value]);
    } else {
      const module = await readModule(name, value);
      if (modules.has(module.name)) {
        throw new Refusal(
          "BODY_INVALID",
          `Two parts are called ${JSON.stringify(module.name)}. Send each module once.`,
        );
      }
      modules.set(module.name, module);
    }
  }
  return { document: readDocument(documentName, documents, fields), modules: [...modules.values()] };
}

async function readForm(request: Request): Promise<FormData> {
  try {
    return await (await asMultipart(request)).formData();
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal(
      "BODY_INVALID",
      `The body is not a readable multipart form: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}

/**
 * Cloudflare's SDK labels its multipart body `application/javascript` in `scripts.update`. The content of the
 * body distinguishes the two: a form begins with its boundary.
 */
async function asMultipart(request: Request): Promise<Response> {
  const contentType = request.headers.get("content-type") ?? "";
  if (/^multipart\/form-data\b/i.test(contentType))
    return new Response(request.body, { headers: { "content-type": contentType } });
  const body = await request.arrayBuffer();
  const start = new TextDecoder("latin1").decode(body.slice(0, 300));
  const boundary = /^--([^\r\n]{1,70})\r\nContent-Disposition: form-data;/i.exec(start)?.[1];
  if (boundary !== undefined) {
    return new Response(body, { headers: { "content-type": `multipart/form-data; boundary="${boundary}"` } });
  }
  throw new Refusal(
    "BODY_INVALID",
    `The body must be a multipart form, and its content type is ${JSON.stringify(contentType)}.`,
  );
}

async function readModule(part: string, value: string | File): Promise<UploadedModule> {
  const unnamed = part === "files" || part === "files[]";
  const name = typeof value !== "string" && unnamed ? value.name : part;
  checkModuleName(name);
  if (typeof value === "string") {
    return { name, contentType: "text/plain", bytes: utf8(value) };
  }
  const contentType = (value.type.split(";")[0] ?? "").trim().toLowerCase();
  return { name, contentType: contentType || "application/octet-stream", bytes: await value.arrayBuffer() };
}

function readDocument(
  name: string,
  documents: readonly string[],
  fields: readonly [string, string][],
): Record<string, unknown> {
  const [text, ...others] = documents;
  if (others.length > 0)
    throw new Refusal("BODY_INVALID", `The body has more than one part \`${name}\`. Send it once.`);
  if (text === undefined) {
    if (fields.length > 0) return bracketedFields(name, fields);
    throw new Refusal("BODY_INVALID", `The body has no part \`${name}\`. Send it as JSON.`);
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new Refusal(
      "BODY_INVALID",
      `The part \`${name}\` is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new Refusal("BODY_INVALID", `The part \`${name}\` must be a JSON object.`);
  }
  return document as Record<string, unknown>;
}

/**
 * Builds an object from form fields such as `metadata[bindings][][name]`, in which Cloudflare's TypeScript SDK
 * sends it: `[key]` is a field, `[]` appends to a list, and a repeated key begins the next element
 * of the list. All values are strings, because the form does not have their types.
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

/** Whether {@link bracketedFields} reads the field. */
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

/** Whether the object has a value at the path. A list always accepts one more. */
function isTaken(target: Record<string, unknown>, [key = "", next, ...rest]: readonly string[]): boolean {
  const found = target[key];
  if (found === undefined || next === "") return false;
  return next === undefined || !isRecord(found) || isTaken(found, [next, ...rest]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
