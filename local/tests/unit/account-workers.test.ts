import assert from "node:assert/strict";
import { test } from "node:test";
import type { ScriptVersion } from "../../src/script.ts";
import { accountAddress } from "../../src/script.ts";
import { AccountWorkers } from "../../src/store/account-workers.ts";
import { Scripts } from "../../src/store/scripts.ts";
import { openStore } from "./sqlite.ts";

const NOW = new Date(0);
const HOUR_LATER = new Date(3_600_000);

function version(id: string): ScriptVersion {
  return { id, modules: [], bindings: [], assets: null } as unknown as ScriptVersion;
}

/** A store in which `deploy` makes a version live, as `Store.change` does. */
function stored() {
  const sql = openStore();
  const scripts = new Scripts(sql);
  const workers = new AccountWorkers(sql);
  const deploy = (id: string) => {
    const address = accountAddress("shop");
    scripts.change({ ...address, from: scripts.get(address)?.revision ?? null, to: version(id) }, NOW);
    workers.deployed("shop", version(id), null, NOW);
  };
  return { scripts, workers, deploy };
}

test("the last hundred versions and deployments are kept, and the live version always", () => {
  const { scripts, workers, deploy } = stored();
  deploy("first");
  for (let number = 0; number < 150; number += 1) workers.upload("shop", version(`u${number}`), "first", NOW);
  const uploaded = workers.versions("shop");
  assert.equal(uploaded.length, 100);
  assert.deepEqual([uploaded[0]?.version.id, uploaded[0]?.number], ["u149", 151]);
  assert.equal(uploaded.at(-1)?.version.id, "first");
  scripts.removeLeft(HOUR_LATER);
  assert.equal(scripts.version("u0"), null);
  assert.equal(scripts.version("u149")?.id, "u149");
  for (let number = 0; number < 150; number += 1) deploy(`d${number}`);
  assert.equal(workers.deployments("shop").length, 100);
  assert.equal(workers.versions("shop").length, 100);
  scripts.removeLeft(HOUR_LATER);
  assert.equal(scripts.version("d149")?.id, "d149");
  assert.equal(scripts.version("d60")?.id, "d60", "a replaced version can be deployed again");
  assert.equal(scripts.version("first"), null);
});

test("deleting a Worker deletes its versions, deployments, crons and address", () => {
  const { scripts, workers, deploy } = stored();
  deploy("a");
  workers.upload("shop", version("b"), "a", NOW);
  workers.setAddress("shop", true, false);
  workers.setSchedules("shop", ["* * * * *"], NOW);
  workers.remove("shop", NOW);
  scripts.remove(accountAddress("shop"), NOW);
  scripts.removeLeft(HOUR_LATER);
  assert.equal(workers.get("shop"), null);
  assert.deepEqual([workers.versions("shop"), workers.deployments("shop"), workers.schedules(null)], [[], [], []]);
  assert.deepEqual([scripts.version("a"), scripts.version("b")], [null, null]);
});

test("the crons of a minute run once, and those of an earlier minute do not run after it", () => {
  const { workers } = stored();
  assert.deepEqual([10, 10, 9, 11, 10].map((minute) => workers.claimMinute(minute)), [true, false, false, true, false]);
});
