import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import type { ScriptAddress } from "../script.ts";
import type { UploadedVersion, WorkerDeployment } from "../store/account-workers.ts";
import { changeExisting } from "./script-change.ts";
import { withAccountClasses } from "../bindings/durable-objects/account-classes.ts";
import { checkServices } from "../bindings/service/targets.ts";

/** A version of an account Worker that can be deployed. Refuses one that does not exist. */
export async function uploadedVersion({ store }: Platform, script: string, id: string): Promise<UploadedVersion> {
  const found = (await store.uploadedVersions(script)).find(({ version }) => version.id === id);
  if (found !== undefined) return found;
  throw new Refusal("VERSION_NOT_FOUND", `${script} has no version ${id}. \`wrangler versions list\` shows those that it has.`);
}

/** Makes a version of an account Worker live that was uploaded or deployed before. The tags of the script stay. */
export async function deployVersion(
  platform: Platform,
  address: ScriptAddress,
  id: string,
  message: string | null,
): Promise<WorkerDeployment> {
  const uploaded = await uploadedVersion(platform, address.script, id);
  const version = await withAccountClasses(platform, address, uploaded.version);
  await checkServices(platform, address, version);
  await changeExisting(
    platform,
    address,
    async (current) => {
      if (JSON.stringify(current.version.objectClasses) !== JSON.stringify(version.objectClasses)) {
        throw new Refusal(
          "MIGRATION_INVALID",
          `The version ${id} is from before a Durable Object migration of the current one, so it cannot be deployed. Deploy its code again with \`wrangler deploy\`.`,
        );
      }
      return { ...version, tags: current.version.tags };
    },
    message,
  );
  const deployments = await platform.store.workerDeployments(address.script);
  const deployment = deployments.find((other) => other.version === id);
  if (deployment === undefined) throw new Error(`the deployment of ${id} is not recorded`);
  return deployment;
}
