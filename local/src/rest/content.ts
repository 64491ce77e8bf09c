import { readMetadata } from "../deploy/metadata.ts";
import { replaceModules } from "../deploy/release.ts";
import { readUploadForm } from "../deploy/upload-form.ts";
import { readModules } from "../isolate/script-isolate.ts";
import { Refusal } from "../refusal.ts";
import type { MainModule } from "../script.ts";
import { scriptOf, type Call } from "./call.ts";
import { success } from "./envelope.ts";

/** The modules as they were uploaded, as a form; a script in the service-worker format as it is. */
export async function getContent(call: Call): Promise<Response> {
  const { version } = await scriptOf(call);
  const modules = await readModules(call.platform, version);
  const main = modules.find(({ name }) => name === version.main?.module);
  const headers = new Headers({ etag: `"${version.etag}"`, "cache-control": "no-store" });
  if (version.main?.format === "service-worker" && main) {
    headers.set("content-type", "application/javascript");
    return new Response(main.bytes, { headers });
  }
  const form = new FormData();
  for (const { name, contentType, bytes } of modules)
    form.append(name, new File([bytes], name, { type: contentType }), name);
  if (version.main) headers.set("cf-entrypoint", version.main.module);
  return new Response(form, { headers });
}

/** Replaces the modules and leaves everything else as it is. */
export async function putContent(call: Call): Promise<Response> {
  const script = await scriptOf(call);
  const { document, modules } = await readUploadForm(call.request, "metadata");
  const main = mainFromHeaders(call.request.headers) ?? readMetadata(document).main;
  if (main === null)
    throw new Refusal(
      "SCRIPT_INVALID",
      "Name the main module, by `main_module` in the metadata or the header CF-WORKER-MAIN-MODULE-PART.",
    );
  const { version } = await replaceModules(call.platform, script, main, modules);
  return success({ id: script.script, etag: version.etag, deployment_id: version.id, modified_on: version.uploadedOn });
}

function mainFromHeaders(headers: Headers): MainModule | null {
  const module = headers.get("cf-worker-main-module-part");
  if (module !== null) return { format: "modules", module };
  const body = headers.get("cf-worker-body-part");
  return body === null ? null : { format: "service-worker", module: body };
}
