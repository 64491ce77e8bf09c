interface Environment {
  readonly BUCKET: R2Bucket;
  /** The bearer token of uploads and deletions. */
  readonly UPLOAD_TOKEN: string;
}

/** A file server. Everyone can read, with ranges and conditions; PUT and DELETE need the token. `/` lists the files. */
export default {
  async fetch(request, environment) {
    const key = decodedPath(new URL(request.url).pathname);
    if (key === null) return text(400, "The path is not valid.");
    switch (request.method) {
      case "GET":
      case "HEAD":
        return key === "" ? await list(environment.BUCKET) : await read(environment.BUCKET, key, request);
      case "PUT":
      case "DELETE":
        if (!isAuthorized(request, environment.UPLOAD_TOKEN)) return text(401, "The bearer token is missing or wrong.");
        if (key === "") return text(400, "A file needs a name.");
        return request.method === "PUT"
          ? await write(environment.BUCKET, key, request)
          : await remove(environment.BUCKET, key);
      default:
        return text(405, "Use GET, HEAD, PUT or DELETE.", { allow: "GET, HEAD, PUT, DELETE" });
    }
  },
} satisfies ExportedHandler<Environment>;

async function read(bucket: R2Bucket, key: string, { headers, method }: Request): Promise<Response> {
  const object = await bucket.get(key, { onlyIf: headers, range: headers });
  if (object === null) return text(404, "There is no such file.");
  const response = new Headers({ etag: object.httpEtag, "accept-ranges": "bytes" });
  object.writeHttpMetadata(response);
  // An object without a body did not match the conditions of the request.
  if (!("body" in object)) return new Response(null, { status: headers.has("if-none-match") ? 304 : 412, headers: response });
  const { range, size } = object;
  if (range === undefined || !headers.has("range") || !("offset" in range)) {
    response.set("content-length", String(size));
    return new Response(method === "HEAD" ? null : object.body, { headers: response });
  }
  const { offset = 0, length = size - offset } = range;
  response.set("content-range", `bytes ${offset}-${offset + length - 1}/${size}`);
  response.set("content-length", String(length));
  return new Response(method === "HEAD" ? null : object.body, { status: 206, headers: response });
}

async function write(bucket: R2Bucket, key: string, { body, headers }: Request): Promise<Response> {
  const { httpEtag: etag } = await bucket.put(key, body ?? "", { httpMetadata: headers });
  return text(201, "The file is stored.", { etag });
}

async function remove(bucket: R2Bucket, key: string): Promise<Response> {
  await bucket.delete(key);
  return new Response(null, { status: 204 });
}

async function list(bucket: R2Bucket): Promise<Response> {
  const { objects } = await bucket.list({ limit: 1000 });
  return Response.json(objects.map(({ key, size, uploaded }) => ({ key, size, uploaded })));
}

function isAuthorized({ headers }: Request, token: string | undefined): boolean {
  const encoder = new TextEncoder();
  const [given, expected] = [encoder.encode(headers.get("authorization") ?? ""), encoder.encode(`Bearer ${token}`)];
  if (!token || given.byteLength !== expected.byteLength) return false;
  return crypto.subtle.timingSafeEqual(given, expected);
}

function decodedPath(pathname: string): string | null {
  try {
    return decodeURIComponent(pathname.slice(1));
  } catch {
    return null;
  }
}

function text(status: number, message: string, headers: Record<string, string> = {}): Response {
  return new Response(`${message}\n`, { status, headers });
}
