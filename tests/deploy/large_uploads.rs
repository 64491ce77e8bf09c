//! Uploads near the limits: large static assets and modules, one after the other and at once.

use anyhow::Result;
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Options, Platform, Project, Script, worker_path, wrangler::Version};
use futures_util::future::try_join_all;
use serde_json::json;

use crate::platforms::{host, platform, put, text};

const MEBIBYTE: usize = 1024 * 1024;

/// Bytes that differ from position to position and from seed to seed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // xorshift64, https://www.jstatsoft.org/article/view/v008i14
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[end_to_end::test]
async fn an_asset_of_8_mib_is_deployed_promoted_and_rolled_back() -> Result<()> {
    let platform = platform();
    let api = platform.deploy_api();
    let content = noise(1, 8 * MEBIBYTE);
    let project = Project::new("films")?
        .file("public/film.bin", &content)?
        .setting("assets", json!({ "directory": "public" }))?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    let served = async |environment| platform.get(&host(environment, "films"), "/film.bin").await;
    assert!(
        served(Staging).await?.body == content,
        "the asset differs after the deploy"
    );

    let path = worker_path(Staging, "films");
    api.post(
        &format!("{path}/promote"),
        &json!({ "to": Production.namespace(), "variables": "copy_new" }),
    )
    .await?;
    assert!(
        served(Production).await?.body == content,
        "the asset differs after the promotion"
    );

    let project = project.file("public/film.bin", noise(2, 8 * MEBIBYTE))?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    assert!(
        served(Staging).await?.body != content,
        "the first asset is still served"
    );
    api.post(&format!("{path}/rollback"), &json!({})).await?;
    assert!(
        served(Staging).await?.body == content,
        "the asset differs after the rollback"
    );
    Ok(())
}

#[end_to_end::test]
async fn five_large_deploys_at_once_stay_below_the_memory_limit() -> Result<()> {
    let platform = Platform::start(Options::new());
    let mut projects = Vec::new();
    for number in 0..3 {
        // In base64, two files of 14 MiB are a bucket of 37 MiB.
        let project = Project::new(&format!("assets-{number}"))?
            .file("public/a.bin", noise(10 + number, 14 * MEBIBYTE))?
            .file("public/b.bin", noise(20 + number, 14 * MEBIBYTE))?
            .setting("assets", json!({ "directory": "public" }))?;
        projects.push(project);
    }
    for number in 0..2_u64 {
        // A module of 29 MiB that is small when it is compressed.
        let content: Vec<u8> = noise(30 + number, 1000)
            .into_iter()
            .cycle()
            .take(29 * MEBIBYTE)
            .collect();
        let project = Project::new(&format!("module-{number}"))?
            .file("large.bin", content)?
            .file(
                "index.js",
                "import large from \"./large.bin\";
                export default { fetch() { return new Response(String(large.byteLength)); } };",
            )?;
        projects.push(project);
    }
    try_join_all(
        projects
            .iter()
            .map(|project| project.deploy(&platform, Version::V4_152, Staging)),
    )
    .await?;
    assert_eq!(
        text(&platform, Staging, "module-1").await?,
        (29 * MEBIBYTE).to_string()
    );

    let health = platform.deploy_api().get("/v1/health").await?;
    for instance in ["gateway", "ledger"] {
        let bytes = health["wasm_memory_bytes"][instance].as_u64();
        assert!(
            bytes.is_some_and(|bytes| bytes < 96 << 20),
            "the Wasm memory of the {instance} is too large: {health}"
        );
    }
    println!("Wasm memory: {}", health["wasm_memory_bytes"]);
    Project::new("small")?
        .deploy(&platform, Version::V4_152, Staging)
        .await?;
    Ok(())
}

#[end_to_end::test]
async fn deploys_1100_modules_and_large_source_maps() -> Result<()> {
    let platform = platform();
    let name = "many-modules";
    let mut project = Project::new(name)?
        .file(
            "src/index.js",
            "export default { async fetch() {
                const { n } = await import('./modules/' + 'm1099.js');
                return new Response(String(n));
            } };",
        )?
        .setting("main", json!("src/index.js"))?
        .setting("no_bundle", json!(true))?
        .setting("find_additional_modules", json!(true))?
        .setting("rules", json!([{ "type": "ESModule", "globs": ["**/*.js"] }]))?;
    for number in 0..1100 {
        let path = format!("src/modules/m{number}.js");
        project = project.file(&path, format!("export const n = {number};"))?;
    }
    project.deploy(platform, Version::V4_152, Staging).await?;
    assert_eq!(text(platform, Staging, name).await?, "1099");
    let map = vec![b'a'; 37 * MEBIBYTE];
    let script = Script::answering("mapped").with_module("index.js.map", "application/source-map", map);
    let answer = put(platform, "large-map", &script).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Ok(())
}

#[end_to_end::test]
async fn an_upload_beyond_the_limits_gets_a_readable_error() -> Result<()> {
    let platform = platform();
    let project = Project::new("too-large")?
        .file("large.bin", noise(40, 11 * MEBIBYTE))?
        .file(
            "index.js",
            "import large from \"./large.bin\";
            export default { fetch() { return new Response(String(large.byteLength)); } };",
        )?;
    let deploy = ["deploy", "--dispatch-namespace", Staging.namespace()];
    let refused = project
        .wrangler(platform, Version::V4_152, &deploy)
        .await?
        .failure()?;
    assert!(refused.output.contains("[code: 740131]"), "{}", refused.output);
    assert!(!refused.output.contains("fetch failed"), "{}", refused.output);
    // Refused for its announced length, for its first part, and for the caller's permissions: the client sends all of it.
    let large = || noise(41, 110_000_000);
    let maps = Script::answering("x").with_module("a.map", "application/source-map", large());
    let name_invalid = Script::answering("x").with_module("../a.bin", "application/octet-stream", large());
    for (worker, script, status) in [
        ("too-long", &maps, 413),
        ("outside", &name_invalid, 413),
        ("com", &maps, 400),
    ] {
        let answer = put(platform, worker, script).await?;
        assert_eq!(answer.status, status, "{worker}: {}", answer.text());
        assert_eq!(answer.json()["success"], false);
    }
    Ok(())
}
