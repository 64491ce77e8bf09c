// The deploy API with a bundle store that hangs: a write whose bytes contain the marker never settles. The header x-test-hanging
// asks for the number of those writes. The time limit of a write, which is a minute, is a second here.
import deployApi, { Ledger, Reconciler } from "./deploy-api.js";

const MARKER = "this write hangs";
const WRITE_LIMIT = 60_000;
let hanging = 0;

const { setTimeout } = globalThis;
globalThis.setTimeout = (callback, milliseconds, ...rest) =>
  setTimeout(callback, milliseconds === WRITE_LIMIT ? 1_000 : milliseconds, ...rest);

/** An object of the runtime with other methods. */
function withMethods(object, methods) {
  return new Proxy(object, {
    get(_, name) {
      if (Object.hasOwn(methods, name)) return methods[name];
      const value = object[name];
      return typeof value === "function" && name !== "constructor" ? value.bind(object) : value;
    },
  });
}

function unlessMarked(bytes, write) {
  if (!new TextDecoder().decode(bytes).includes(MARKER)) return write();
  hanging += 1;
  return new Promise(() => {});
}

function hangingBucket(bucket) {
  return withMethods(bucket, {
    put: (key, bytes, ...rest) => unlessMarked(bytes, () => bucket.put(key, bytes, ...rest)),
    resumeMultipartUpload(...names) {
      const upload = bucket.resumeMultipartUpload(...names);
      return withMethods(upload, {
        uploadPart: (number, bytes, ...rest) => unlessMarked(bytes, () => upload.uploadPart(number, bytes, ...rest)),
      });
    },
  });
}

export { Ledger, Reconciler };

export default {
  fetch(request, env, context) {
    if (request.headers.has("x-test-hanging")) return new Response(String(hanging));
    return deployApi.fetch(request, { ...env, BUNDLES: hangingBucket(env.BUNDLES) }, context);
  },
};
