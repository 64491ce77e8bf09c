import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { test } from "node:test";

import { readArchive } from "../deploy/src/archive.ts";
import { findDotdo, install } from "../deploy/src/dotdo.ts";
import { ActionFailure } from "../step/failure.ts";
import { type ArchivedFile, zip } from "./github/artifacts.ts";

/** What is wrong with an archive. */
async function refusalOf(archive: Buffer): Promise<string> {
  try {
    await readArchive(archive);
  } catch (error) {
    assert.ok(error instanceof ActionFailure, String(error));
    return error.lines.join(" ");
  }
  return "accepted";
}

test("an archive has only modules, in its own folder, and of limited number and size", async () => {
  const content = "export default {}";
  const files = [{ path: "index.js", content }, { path: "assets/0f-a.wasm", content: "" }, { path: "_a/b@1.2+c.mjs", content: "x" }, { path: "_a/", content: "" }];
  const read = await readArchive(zip(files.map((file, index) => ({ ...file, isCompressed: index === 0 }))));
  assert.deepEqual([...read.keys()], ["index.js", "assets/0f-a.wasm", "_a/b@1.2+c.mjs"]);
  assert.equal(read.get("index.js")?.toString(), content);

  const one = (path: string, changed: Partial<ArchivedFile> = {}) => zip([{ path, content, ...changed }]);
  for (const [archive, reason] of [
    [one("../index.js"), /relative path/],
    [one("a/../../index.js"), /relative path/],
    [one("/etc/index.js"), /absolute path/],
    [one("C:/index.js"), /absolute path/],
    [one("a\\index.js"), /invalid characters/],
    [one("index.js", { mode: 0o120777 }), /is a link or another special file/],
    [one("pipe.js", { mode: 0o010644 }), /is a link or another special file/],
    [one("wrangler.jsonc"), /is not a module/],
    [one("wrangler.toml"), /is not a module/],
    [one(".wrangler/deploy/config.json"), /is not a module/],
    [one(".npmrc"), /is not a module/],
    [one(".git/hooks/post-checkout.js"), /is not a module/],
    [one("tsconfig.json"), /is not a module/],
    [one("\u{e9}.js"), /is not a module/],
    [one("\u{202e}sj.js"), /is not a module/],
    [one("a\u{0}.js"), /is not a module|invalid characters/],
    [one("package.json"), /is not a module/],
    [one(".dev.vars"), /is not a module/],
    [one("node_modules/.bin/wrangler"), /is not a module/],
    [one("a/.hidden/index.js"), /is not a module/],
    [one("-rf.js"), /is not a module/],
    [one("a\nb.js"), /is not a module/],
    [one(`${"a".repeat(300)}.js`), /is not a module/],
    [one("index.js", { size: 5 }), /size/],
    // Files that are larger than they say, or all together too large.
    [one("index.js", { content: Buffer.alloc(64 * 1024 * 1024), isCompressed: true, size: 1000 }), /too many bytes/],
    [one("index.js", { content: Buffer.alloc(33 * 1024 * 1024), isCompressed: true }), /files have more than/],
    [zip([{ path: "index.js", content }, { path: "INDEX.js", content }]), /is there twice/],
    [zip([{ path: "a.js", content }, { path: "A.js/b.js", content }]), /"A\.js" is a file and a folder/],
    [zip([{ path: "lib/a.js/b/c.js", content }, { path: "lib/a.js", content }]), /"lib\/a\.js" is a file and a folder/],
    [zip(Array.from({ length: 201 }, (_, number) => ({ path: `${number}.js`, content }))), /more than 200 files/],
    [Buffer.from("not an archive"), /End of central directory/i],
    [zip([{ path: "index.js", content }]).subarray(20), /./],
  ] as const) {
    const refusal = await refusalOf(archive);
    assert.notEqual(refusal, "accepted", String(reason));
    assert.match(refusal, reason);
  }
});

test("dotdo comes from a release only with the right checksum", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "dotdo-release-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const name = "dotdo-x86_64-unknown-linux-gnu";
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "dotdo"), "#!/bin/sh\necho 1.2.3\n", { mode: 0o755 });
  execFileSync("tar", ["-czf", "archive", name], { cwd: folder });
  const archive = readFileSync(join(folder, "archive"));
  const checksum = createHash("sha256").update(archive).digest("hex");
  const served = (sum: string) => ({
    pause: async () => undefined,
    send: async (url: URL) => {
      assert.match(url.href, /^https:\/\/releases\.example\/v1\.2\.3\/dotdo-x86_64-unknown-linux-gnu\.tar\.gz(\.sha256)?$/);
      return new Response(url.href.endsWith(".sha256") ? `${sum} *${name}.tar.gz\n` : archive);
    },
  });
  const get = (sum: string, machine = "linux x64") => install(served(sum), "https://releases.example", "1.2.3", machine, folder);
  const program = await get(checksum);
  assert.equal(execFileSync(program, { encoding: "utf8" }), "1.2.3\n");
  await assert.rejects(get("0".repeat(64)), /The archive of dotdo is damaged/);
  await assert.rejects(get(checksum, "sunos x64"), /There is no dotdo for this runner/);
  const absent = { pause: async () => undefined, send: async () => new Response("", { status: 404 }) };
  await assert.rejects(install(absent, "https://releases.example", "1.2.3", "linux x64", folder), /answered with the status 404/);

  // A folder of this name in PATH is not the program, and a folder of the checkout, which a part without a name is, has none.
  mkdirSync(join(folder, "dotdo"));
  const found = await findDotdo(absent, "", [folder, relative(".", join(folder, name)), join(folder, name)].join(":"), folder, "1.2.3");
  assert.equal(found, join(folder, name, "dotdo"));
});
