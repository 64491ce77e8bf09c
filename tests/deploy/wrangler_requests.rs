//! The requests of stock wrangler to the deploy API, in golden files. A version that sends other requests fails here.
//!
//! They are recorded for both versions of wrangler. A test of what the deploy API does after equal requests runs one version only.
//!
//! `GOLDEN=record npm test wrangler_requests` writes the files.

use std::{collections::BTreeMap, env, fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result};
use end_to_end::{Platform, wrangler::Version};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    platforms::{behind_relay, relay_to},
    wrangler_bindings,
    wrangler_commands::unwrapped,
    wrangler_deploys,
    wrangler_sessions::{self, Session},
};

fn golden(version: Version) -> PathBuf {
    let file = match version {
        Version::V4_86 => "wrangler-4.86.txt",
        Version::V4_152 => "wrangler-4.152.txt",
    };
    end_to_end::repository().join("tests/deploy/golden").join(file)
}

/// How many runs of one version are made at once.
const AT_ONCE: usize = 4;

/// The runs and their requests, as in the golden file. The runs for one Worker are made in order, those for different Workers at once. The
/// upstream of the deploy API simulates resources.
async fn record(version: Version) -> Result<String> {
    let relayed = behind_relay();
    wrangler_bindings::simulate_resources(relayed.relay);
    let mut sessions = wrangler_sessions::sessions(version)?;
    sessions.extend(wrangler_bindings::sessions(version)?);
    let mut by_worker: BTreeMap<&str, Vec<(usize, Session)>> = BTreeMap::new();
    for (place, session) in sessions.into_iter().enumerate() {
        by_worker
            .entry(session.worker)
            .or_default()
            .push((place, session));
    }
    let recorded = by_worker
        .into_values()
        .map(|sessions| record_in_order(relayed.platform, version, sessions));
    let recorded: Vec<_> = stream::iter(recorded)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    let texts: BTreeMap<usize, String> = recorded.into_iter().flatten().collect();
    Ok(texts.into_values().collect())
}

/// Makes runs one after the other, and returns the text of each with its place in the golden file.
async fn record_in_order(
    platform: &Platform,
    version: Version,
    sessions: Vec<(usize, Session)>,
) -> Result<Vec<(usize, String)>> {
    let relay = relay_to(platform)?;
    let base_url = format!("{}/client/v4", relay.origin());
    let mut texts = Vec::new();
    for (place, session) in sessions {
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
        let output = unwrapped(&run.output);
        for expected in session.prints {
            anyhow::ensure!(
                output.contains(expected),
                "{}: no {expected:?} in {output}",
                session.title
            );
        }
        let mut text = String::new();
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
        texts.push((place, text));
    }
    Ok(texts)
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
