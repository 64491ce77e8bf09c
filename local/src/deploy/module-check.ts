import { Refusal } from "../refusal.ts";
import type { MainModule } from "../script.ts";
import type { RequestedBinding } from "./binding.ts";
import { moduleKind, type UploadedModule } from "./module.ts";

/** Refuses modules that cannot be run, a main module that was not sent, and bindings to parts that were not sent. */
export function checkModules(
  main: MainModule,
  modules: readonly UploadedModule[],
  bindings: readonly RequestedBinding[],
): void {
  for (const { name, contentType } of modules) moduleKind(name, contentType);
  const module = modules.find(({ name }) => name === main.module);
  if (!module) {
    throw new Refusal(
      "SCRIPT_INVALID",
      `The metadata names ${JSON.stringify(main.module)} as the main module, but no part is called so. Send that part.`,
    );
  }
  if (main.format === "modules" && moduleKind(module.name, module.contentType) !== "js") {
    throw new Refusal(
      "SCRIPT_INVALID",
      `The main module ${main.module} has the content type ${JSON.stringify(module.contentType)}. An ES module is sent as application/javascript+module; a script in the service-worker format is named by \`body_part\`.`,
    );
  }
  for (const binding of bindings) {
    if (!("part" in binding)) continue;
    if (main.format === "modules") {
      throw new Refusal(
        "BINDING_INVALID",
        `The binding ${binding.name} of type ${binding.type} exists only in the service-worker format. Import ${binding.part} as a module.`,
      );
    }
    if (!modules.some(({ name }) => name === binding.part)) {
      throw new Refusal(
        "BINDING_INVALID",
        `The binding ${binding.name} names the part ${JSON.stringify(binding.part)}, which was not sent.`,
      );
    }
  }
}
