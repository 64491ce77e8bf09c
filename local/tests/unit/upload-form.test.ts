import assert from "node:assert/strict";
import { test } from "node:test";
import { readUploadForm } from "../../src/deploy/upload-form.ts";
import { refused } from "./refused.ts";

const MODULE = "export default {}";

function upload(build: (form: FormData) => void): Request {
  const form = new FormData();
  build(form);
  return new Request("http://localhost/", { method: "PUT", body: form });
}

function file(text: string, name: string, type = "application/javascript+module"): File {
  return new File([text], name, { type });
}

function rawUpload(contentType: string, body: string): Request {
  return new Request("http://localhost/", { method: "PUT", body, headers: { "content-type": contentType } });
}

test("a form as wrangler sends it", async () => {
  const form = await readUploadForm(
    upload((form) => {
      form.set("metadata", JSON.stringify({ main_module: "index.js" }));
      form.set("index.js", file(MODULE, "index.js"));
      form.set("lib/data.bin", file("\u0000\u0001", "data.bin", "application/octet-stream"));
    }),
    "metadata",
  );
  assert.deepEqual(form.document, { main_module: "index.js" });
  assert.deepEqual(
    form.modules.map(({ name, contentType, bytes }) => [name, contentType, bytes.byteLength]),
    [
      ["index.js", "application/javascript+module", MODULE.length],
      ["lib/data.bin", "application/octet-stream", 2],
    ],
  );
});

test("a form as Cloudflare's SDK sends it, with metadata in fields, and a body that it labels as JavaScript", async () => {
  const request = upload((form) => {
    form.append("metadata[main_module]", "m.js");
    form.append("metadata[bindings][][type]", "plain_text");
    form.append("metadata[bindings][][name]", "A");
    form.append("metadata[bindings][][type]", "plain_text");
    form.append("metadata[bindings][][name]", "B");
    form.append("files[]", file(MODULE, "m.js"));
  });
  const body = new Uint8Array(await request.arrayBuffer());
  const form = await readUploadForm(
    new Request("http://localhost/", { method: "PUT", body, headers: { "content-type": "application/javascript" } }),
    "metadata",
  );
  assert.equal(
    JSON.stringify(form.document),
    JSON.stringify({
      main_module: "m.js",
      bindings: [
        { type: "plain_text", name: "A" },
        { type: "plain_text", name: "B" },
      ],
    }),
  );
  assert.deepEqual(
    form.modules.map(({ name }) => name),
    ["m.js"],
  );
});

test("metadata may be a file part", async () => {
  const form = await readUploadForm(
    upload((form) => form.set("metadata", file('{"body_part":"s"}', "metadata.json", "application/json"))),
    "metadata",
  );
  assert.deepEqual(form.document, { body_part: "s" });
});

for (const [what, build, message] of [
  ["no metadata", (form: FormData) => form.set("index.js", file(MODULE, "index.js")), /no part `metadata`/],
  [
    "two metadata",
    (form: FormData) => {
      form.append("metadata", "{}");
      form.append("metadata", "{}");
    },
    /more than one part `metadata`/,
  ],
  ["metadata that is not JSON", (form: FormData) => form.set("metadata", "{"), /`metadata` is not JSON/],
  ["metadata that is a list", (form: FormData) => form.set("metadata", "[]"), /must be a JSON object/],
  [
    "one module twice",
    (form: FormData) => {
      form.append("metadata", "{}");
      form.append("a.js", file(MODULE, "a.js"));
      form.append("a.js", file(MODULE, "a.js"));
    },
    /Two parts are called "a\.js"/,
  ],
  [
    "thousands of parts",
    (form: FormData) => {
      for (let part = 0; part < 3001; part += 1) form.append(`part${part}`, "x");
    },
    /3001 parts/,
  ],
] as const) {
  test(`refused: ${what}`, () => refused(10026, message, () => readUploadForm(upload(build), "metadata")));
}

for (const name of ["../x.js", "/etc/passwd", "a/../../x.js", "a//b.js", "a\\b.js", "__local_platform__main.js"]) {
  test(`refused: a module named ${name}`, () =>
    refused(10021, /module/, () =>
      readUploadForm(
        upload((form) => {
          form.set("metadata", "{}");
          form.set(name, file(MODULE, "x.js"));
        }),
        "metadata",
      ),
    ));
}

test("refused: bodies that are no form", async () => {
  for (const request of [
    rawUpload("application/javascript", "addEventListener('fetch', () => {})"),
    rawUpload("application/json", "{}"),
    rawUpload("multipart/form-data", "--x\r\n"),
    rawUpload("multipart/form-data; boundary=x", '--x\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{'),
  ]) {
    await refused(10026, /multipart form/, () => readUploadForm(request, "metadata"));
  }
});
