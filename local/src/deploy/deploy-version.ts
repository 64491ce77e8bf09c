import type { Platform } from "../platform.ts";
import { Refusal } from "../refusal.ts";
import type { ScriptAddress } from "../script.ts";
import type { WorkerDeployment } from "../store/account-workers.ts";
import { changeExisting } from "./script-change.ts";
import { checkServices } from "../bindings/service/targets.ts";

/** Makes a version of an account Worker live that was uploaded or deployed before. The tags of the script stay. */
export async function deployVersion(
  platform: Platform,
  address: ScriptAddress,
  id: string,
  message: string | null,
): Promise<WorkerDeployment> {
  const found = (await platform.store.uploadedVersions(address.script)).find(({ version }) => version.id === id);
  if (found === undefined) {
    throw new Refusal("VERSION_NOT_FOUND", `${address.script} has no version ${id}. \`wrangler versions list\` shows those that it has.`);
  }
  const { version } = found;
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
