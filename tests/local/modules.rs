//! Module types, compatibility settings, and isolation of scripts.

use anyhow::Result;
use dotdo_names::Environment;
use end_to_end::{Answer, Platform, Script};
use reqwest::Method;
use serde_json::json;

/// `(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))`
const ADD: [u8; 41] = [
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f,
    0x03, 0x02, 0x01, 0x00, 0x07, 0x07, 0x01, 0x03, 0x61, 0x64, 0x64, 0x00, 0x00, 0x0a, 0x09, 0x01, 0x07,
    0x00, 0x20, 0x00, 0x20, 0x01, 0x6a, 0x0b,
];

#[end_to_end::test]
async fn runs_modules_of_every_type() -> Result<()> {
    let platform = Platform::shared();
    let script = Script::module(
        "import esm from './lib/esm.js';
        import cjs from './cjs.cjs';
        import text from './text.txt';
        import data from './data.bin';
        import json from './data.json';
        import wasm from './add.wasm';
        export default { async fetch() {
            const instance = await WebAssembly.instantiate(wasm);
            return Response.json({
                esm, cjs: cjs.answer, text, json,
                data: [...new Uint8Array(data)], sum: instance.exports.add(40, 2),
            });
        } };",
    )
    .with_module(
        "lib/esm.js",
        "application/javascript+module",
        "export default 'esm';",
    )
    .with_module("cjs.cjs", "application/javascript", "exports.answer = 'cjs';")
    .with_module("text.txt", "text/plain", "tëxt\n")
    .with_module("data.bin", "application/octet-stream", [0, 255, 10, 13])
    .with_module("data.json", "application/json", r#"{"deep": [1, {"er": null}]}"#)
    .with_module("add.wasm", "application/wasm", ADD)
    .with_module("index.js.map", "application/source-map", "{}");
    platform.deploy(Environment::Production, "kinds", &script).await?;
    assert_eq!(
        platform.get("kinds.do", "/").await?.json(),
        json!({
            "esm": "esm", "cjs": "cjs", "text": "tëxt\n", "json": { "deep": [1, { "er": null }] },
            "data": [0, 255, 10, 13], "sum": 42,
        })
    );
    Ok(())
}

#[end_to_end::test]
async fn runs_a_script_in_the_service_worker_format() -> Result<()> {
    let platform = Platform::shared();
    let script = Script::service_worker(
        "addEventListener('fetch', (event) => event.respondWith(new Response(`${GREETING} ${new URL(event.request.url).pathname}`)));",
    )
    .with_text("GREETING", "hello");
    platform
        .deploy(Environment::Production, "classic", &script)
        .await?;
    assert_eq!(platform.get("classic.do", "/x").await?.text(), "hello /x");
    Ok(())
}

#[end_to_end::test]
async fn applies_the_scripts_compatibility_date_and_flags() -> Result<()> {
    let platform = Platform::shared();
    let source = "import { Buffer } from 'node:buffer';
        export default { fetch() { return new Response(Buffer.from('node').toString('hex')); } };";
    let without_flag = Script::module(source).with("compatibility_date", json!("2024-01-01"));
    let path = platform.script_path(Environment::Production, "flags");
    let call = platform.api(Method::PUT, &path).multipart(without_flag.to_form());
    let answer = Answer::read(call.send().await?).await?;
    assert_eq!(answer.status, 400, "{}", answer.text());

    let with_flag = without_flag.with("compatibility_flags", json!(["nodejs_compat"]));
    platform
        .deploy(Environment::Production, "flags", &with_flag)
        .await?;
    assert_eq!(platform.get("flags.do", "/").await?.text(), "6e6f6465");

    // `navigator` is enabled by default from 2022-03-21 on.
    let source = "export default { fetch() { return new Response(typeof navigator); } };";
    for (date, expected) in [("2021-11-02", "undefined"), ("2024-01-01", "object")] {
        let script = Script::module(source).with("compatibility_date", json!(date));
        platform.deploy(Environment::Production, "dated", &script).await?;
        assert_eq!(platform.get("dated.do", "/").await?.text(), expected, "{date}");
    }
    Ok(())
}

/// Each script of each namespace has a separate isolate: globals and module state are not shared.
#[end_to_end::test]
async fn scripts_share_no_isolate() -> Result<()> {
    let platform = Platform::shared();
    let script = Script::module(
        "let count = 0;
        export default { fetch() { globalThis.shared = (globalThis.shared ?? 0) + 1; return new Response(`${++count} ${globalThis.shared}`); } };",
    );
    platform
        .deploy(Environment::Production, "isolated-a", &script)
        .await?;
    platform
        .deploy(Environment::Production, "isolated-b", &script)
        .await?;
    platform
        .deploy(Environment::Staging, "isolated-a", &script)
        .await?;
    for expected in ["1 1", "2 2"] {
        for host in ["isolated-a.do", "isolated-b.do", "staging.isolated-a.do"] {
            assert_eq!(platform.get(host, "/").await?.text(), expected, "{host}");
        }
    }
    Ok(())
}
