//! The memory of versions that were replaced is freed.

use anyhow::{Context, Result};
use dotdo_names::Environment;
use end_to_end::{Options, Platform, Script};

/// The size of the text that each version contains, in bytes.
const TEXT: usize = 5_000_000;
/// The number of versions.
const VERSIONS: usize = 60;
/// The most memory that the versions may add, in bytes. Measured: 20 MB, and 860 MB if the isolates of replaced versions stay.
const MAX_GROWTH: u64 = 400_000_000;

/// The memory of the runtime, in bytes.
fn memory(platform: &Platform) -> Result<u64> {
    let processes = platform.processes()?;
    let runtimes = processes.iter().filter(|process| process.name == "workerd");
    Ok(runtimes.map(end_to_end::processes::Process::memory).sum())
}

#[end_to_end::test]
async fn replaced_versions_do_not_stay_in_memory() -> Result<()> {
    let platform = Platform::start(Options::new().rest_api());
    let text = "x".repeat(TEXT);
    let mut before = None;
    for version in 0..VERSIONS {
        let script = Script::module(&format!(
            "const text = '{text}'; export default {{ fetch() {{ return new Response(text.length + ' {version}'); }} }};"
        ));
        platform
            .deploy(Environment::Development, "large", &script)
            .await?;
        let answer = platform.get("dev.large.do", "/").await?;
        assert_eq!(answer.text(), format!("{TEXT} {version}"));
        // The first versions also let the heap of the platform's own Workers grow.
        if version == VERSIONS / 10 {
            before = Some(memory(&platform)?);
        }
    }
    let before = before.context("there are enough versions")?;
    let growth = memory(&platform)?.saturating_sub(before);
    assert!(
        growth < MAX_GROWTH,
        "{VERSIONS} versions: {growth} bytes on top of {before}"
    );
    Ok(())
}
