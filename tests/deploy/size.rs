//! The platform's limit, and a clear answer beyond it.

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::{Answer, Project, Script, wrangler::Version};
use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::Method;

use crate::platforms::{platform, served, text};

const MIB: usize = 1024 * 1024;

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(7).fill_bytes(&mut bytes);
    bytes
}

#[end_to_end::test]
async fn more_than_the_platform_takes_is_a_clear_413() -> Result<()> {
    let platform = platform();
    let project = Project::new("heavy")?.file("blob.bin", noise(11 * MIB))?.file(
        "index.js",
        "import blob from \"./blob.bin\";
            export default { fetch() { return new Response(String(blob.byteLength)); } };",
    )?;
    let run = project
        .wrangler(
            platform,
            Version::V4_152,
            &["deploy", "--dispatch-namespace", Staging.namespace()],
        )
        .await?
        .failure()?;
    assert!(run.output.contains("[code: 740131]"), "{}", run.output);
    assert!(run.output.contains("10485760"), "{}", run.output);
    assert_eq!(
        served(platform, Staging, "heavy")
            .await?
            .header("x-dispatch-error"),
        "WORKER_NOT_DEPLOYED"
    );
    let script = Script::answering("x").with_module("blob.bin", "application/octet-stream", noise(11 * MIB));
    let call = platform.api(Method::PUT, &platform.script_path(Staging, "heavy"));
    let answer = Answer::read(call.multipart(script.to_form()).send().await?).await?;
    assert_eq!(answer.status, 413, "{}", answer.text());
    Ok(())
}

#[end_to_end::test]
async fn what_counts_is_the_compressed_size() -> Result<()> {
    let platform = platform();
    let script = Script::module(
        "import text from \"./long.txt\";
        export default { fetch() { return new Response(String(text.length)); } };",
    )
    .with_module("long.txt", "text/plain", vec![b'a'; 12 * MIB]);
    platform.deploy(Staging, "airy", &script).await?;
    assert_eq!(text(platform, Staging, "airy").await?, (12 * MIB).to_string());
    Ok(())
}
