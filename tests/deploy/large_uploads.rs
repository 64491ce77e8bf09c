//! Uploads near the limits: large static assets and modules, one after the other and at once.

use anyhow::Result;
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Options, Platform, Project, worker_path, wrangler::Version};
use futures_util::future::try_join_all;
use serde_json::json;

use crate::platforms::{host, platform, text};

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
        &json!({ "to": Production.namespace() }),
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
