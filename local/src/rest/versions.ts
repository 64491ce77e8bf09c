import { shown } from "../bindings/binding.ts";
import { deployVersion, uploadedVersion } from "../deploy/deploy-version.ts";
import { readMetadata } from "../deploy/metadata.ts";
import { uploadVersion } from "../deploy/release.ts";
import { readUploadForm } from "../deploy/upload-form.ts";
import { Refusal } from "../refusal.ts";
import type { UploadedVersion, WorkerDeployment } from "../store/account-workers.ts";
import { type Call, jsonObjectBody, parameter, scriptOf } from "./call.ts";
import { success } from "./envelope.ts";

const AUTHOR = "developer@localhost";

/** The versions of a Worker that can be deployed, the newest first. */
export async function listVersions(call: Call): Promise<Response> {
  const { script } = await scriptOf(call);
  const versions = await call.var.platform.store.uploadedVersions(script);
  return success({ items: versions.map(shownVersion) });
}

/** One version. */
export async function getVersion(call: Call): Promise<Response> {
  const { script } = await scriptOf(call);
  return success(shownVersion(await uploadedVersion(call.var.platform, script, parameter(call, "version"))));
}

/** Stores a version without making it live. */
export async function postVersion(call: Call): Promise<Response> {
  const { namespace, script } = await scriptOf(call);
  const { document, modules } = await readUploadForm(call.req.raw, "metadata");
  const address = { namespace, script };
  const { version, startupMs, handlers } = await uploadVersion(call.var.platform, address, readMetadata(document), modules);
  const uploaded = await uploadedVersion(call.var.platform, script, version.id);
  return success({ ...shownVersion(uploaded), startup_time_ms: startupMs, handlers });
}

/** The deployments of a Worker, the newest first. */
export async function listDeployments(call: Call): Promise<Response> {
  const { script } = await scriptOf(call);
  const deployments = await call.var.platform.store.workerDeployments(script);
  return success({ deployments: deployments.map(shownDeployment) });
}

/** One deployment. */
export async function getDeployment(call: Call): Promise<Response> {
  const { script } = await scriptOf(call);
  const id = parameter(call, "deployment");
  const found = (await call.var.platform.store.workerDeployments(script)).find((deployment) => deployment.id === id);
  if (found !== undefined) return success(shownDeployment(found));
  throw new Refusal("VERSION_NOT_FOUND", `${script} has no deployment ${id}.`);
}

/** Makes a version live: `{versions: [{version_id, percentage: 100}]}`. */
export async function postDeployment(call: Call): Promise<Response> {
  const { namespace, script } = await scriptOf(call);
  const { versions, annotations } = await jsonObjectBody(call);
  const deployment = await deployVersion(
    call.var.platform,
    { namespace, script },
    readOnlyVersion(versions),
    readMessage(annotations),
  );
  return success(shownDeployment(deployment));
}

function readOnlyVersion(value: unknown): string {
  const [only, ...others] = Array.isArray(value) ? (value as unknown[]) : [];
  if (others.length > 0) {
    throw new Refusal(
      "NOT_SIMULATED",
      "The local platform does not simulate gradual deployments: deploy one version to 100% of the requests.",
    );
  }
  const { version_id: id, percentage = 100 } = (only ?? {}) as { version_id?: unknown; percentage?: unknown };
  if (typeof id !== "string" || percentage !== 100) {
    throw new Refusal("BODY_INVALID", "`versions` must have one element with a `version_id` and the `percentage` 100.");
  }
  return id;
}

function readMessage(annotations: unknown): string | null {
  const message = (annotations as Record<string, unknown> | undefined)?.["workers/message"];
  return typeof message === "string" ? message.slice(0, 1000) : null;
}

function shownVersion({ number, version }: UploadedVersion): Record<string, unknown> {
  const { limits } = version.settings;
  return {
    id: version.id,
    number,
    metadata: {
      created_on: version.uploadedOn,
      modified_on: version.uploadedOn,
      source: "wrangler",
      author_id: "",
      author_email: AUTHOR,
      has_preview: false,
    },
    annotations: version.annotations,
    resources: {
      script: { etag: version.etag, handlers: [], last_deployed_from: "wrangler" },
      script_runtime: {
        compatibility_date: version.compatibilityDate,
        compatibility_flags: version.compatibilityFlags,
        usage_model: "standard",
        ...(limits === undefined ? {} : { limits }),
        ...(version.migrationTag === null ? {} : { migration_tag: version.migrationTag }),
      },
      bindings: version.bindings.map(shown),
    },
  };
}

function shownDeployment({ id, version, createdOn, message }: WorkerDeployment): Record<string, unknown> {
  return {
    id,
    source: "wrangler",
    strategy: "percentage",
    author_email: AUTHOR,
    created_on: createdOn,
    annotations: message === null ? {} : { "workers/message": message },
    versions: [{ version_id: version, percentage: 100 }],
  };
}
