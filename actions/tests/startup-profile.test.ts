import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { COMMIT, Fixture, pullRequest } from "./deploy-job.ts";
import { storeArtifact, zip } from "./github/artifacts.ts";
import { REPOSITORY } from "./job-runner.ts";
import { ACCOUNT } from "./servers.ts";

test("wrangler does not execute the modules of a fork to profile their start-up", async (t) => {
  const job = await Fixture.of(t);
  const configuration = join(job.folder, "checkout", "wrangler.json");
  writeFileSync(configuration, JSON.stringify({ name: "agents", main: "index.js", compatibility_date: "2026-10-19" }));
  job.dotdo(JSON.stringify({ file: configuration, name: "agents", main: "index.js", findings: [] }));
  job.program("npx", `shift 2; exec "${process.execPath}" "${join(REPOSITORY, "node_modules/wrangler/bin/wrangler.js")}" "$@"`);
  const code = "export default { fetch() { return new Response('x'); } };";
  storeArtifact(job.github.stored, "modules", zip([{ path: "index.js", content: code }]), COMMIT, 4004);
  const upload = `/client/v4/accounts/${ACCOUNT}/workers/dispatch/namespaces/dotdo-development/scripts/agents-pr-12`;
  const absent = { success: false, result: null, errors: [{ code: 10092, message: "The script does not exist." }], messages: [] };
  job.servers.answers[`GET ${upload}`] = [{ status: 404, body: absent }];
  const refusal = { success: false, result: null, errors: [{ code: 10021, message: "Script startup exceeded CPU time limit." }], messages: [] };
  job.servers.answers[`PUT ${upload}?excludeScript=true&bindings_inherit=strict`] = [{ status: 400, body: refusal }];
  const event = pullRequest({ from: "someone/agents", action: "labeled", label: `preview ${COMMIT}` });
  const variables = { GITHUB_EVENT_NAME: "pull_request_target", WRANGLER_SEND_METRICS: "false", CI: "true" };
  const refused = await job.run(event, "preview: true, artifact: modules", variables);
  assert.match(refused.log, /exceeded startup limits/);
  assert.doesNotMatch(refused.log, /CPU Profile/);
});
