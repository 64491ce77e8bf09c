//! The requests of stock wrangler to the deploy API, in golden files. A version that sends other requests fails here.
//!
//! `GOLDEN=record npm test wrangler_requests` writes the files.

use std::{env, fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result};
use end_to_end::wrangler::Version;

use crate::{
    platforms::{behind_relay, relay_to},
    wrangler_bindings, wrangler_deploys, wrangler_sessions,
};

fn golden(version: Version) -> PathBuf {
    let file = match version {
        Version::V4_86 => "wrangler-4.86.txt",
        Version::V4_152 => "wrangler-4.152.txt",
    };
    end_to_end::repository().join("tests/deploy/golden").join(file)
}

/// The runs and their requests, as in the golden file. The upstream of the deploy API simulates resources.
async fn record(version: Version) -> Result<String> {
    let relayed = behind_relay();
    wrangler_bindings::simulate_resources(relayed.relay);
    let platform = relayed.platform;
    let relay = relay_to(platform)?;
    let base_url = format!("{}/client/v4", relay.origin());
    let mut sessions = wrangler_sessions::sessions(version)?;
    sessions.extend(wrangler_bindings::sessions(version)?);
    let mut text = String::new();
    for session in sessions {
        relay.remove_requests();
        let run = session
            .project
            .call(platform, version)
            .at(&base_url)
            .with_input(session.input)
            .run(&session.arguments)
            .await?;
        let is_refused = session.title.ends_with(", refused");
        anyhow::ensure!(run.succeeded != is_refused, "{}: {}", session.title, run.output);
        writeln!(text, "# {}", session.title)?;
        writeln!(text, "$ wrangler {}", session.arguments.join(" "))?;
        let name = wrangler_deploys::named(session.worker, version);
        for request in relay.requests("") {
            let path = request.path.replace(platform.account(), "{account}");
            let path = path.strip_prefix("/client/v4").unwrap_or(&path);
            // The name has a suffix for the version.
            let path = path.replace(&name, session.worker);
            writeln!(text, "{} {path}", request.method)?;
        }
        text.push('\n');
    }
    Ok(text)
}

async fn assert_equals_golden_file(version: Version) -> Result<()> {
    let text = record(version).await?;
    let file = golden(version);
    if env::var("GOLDEN").is_ok_and(|value| value == "record") {
        fs::write(&file, &text)?;
    }
    let expected = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    assert_eq!(text, expected, "{} differs", file.display());
    Ok(())
}

#[end_to_end::test]
async fn wrangler_4_86_sends_the_recorded_requests() -> Result<()> {
    assert_equals_golden_file(Version::V4_86).await
}

#[end_to_end::test]
async fn wrangler_4_152_sends_the_recorded_requests() -> Result<()> {
    assert_equals_golden_file(Version::V4_152).await
}
