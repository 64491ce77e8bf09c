//! `npm run deploy` and `npm run dev:remote`, as far as they go without a Cloudflare login.

use anyhow::{Context, Result};
use dotdo_names::Environment;
use end_to_end::{Command, repository, wrangler};
use tempfile::TempDir;

/// The most that the dispatch Worker's Wasm and JavaScript may take, compressed, in KiB: what wrangler uploads and
/// measures.
const MOST: f64 = 60.0;

/// Without these, wrangler could only ask for a login.
fn without_login(command: Command) -> Command {
    command.variable("CLOUDFLARE_API_TOKEN", "")
}

// The Worker's configuration file did not parse, while CI was green, because tests mocked `get()`.
#[end_to_end::test]
async fn pitfall_20_wrangler_reads_the_configuration_of_both_workers() -> Result<()> {
    for (worker, bindings) in [
        (
            "dispatcher",
            Environment::ALL
                .iter()
                .flat_map(|environment| [environment.binding(), environment.namespace()])
                .collect::<Vec<_>>(),
        ),
        ("deploy-api", vec!["LEDGER", "BUNDLES", "DISPATCHER"]),
    ] {
        let folder = TempDir::with_prefix("dotdo-dry-run-")?;
        let out = folder.path().display().to_string();
        let command = Command::new(&["deploy", worker, "--dry-run", "--outdir", &out]);
        let finished = without_login(command).run().await?;
        let printed = format!("{}{}", finished.output, finished.errors);
        assert!(finished.succeeded, "{worker}: {printed}");
        for expected in bindings {
            assert!(
                finished.output.contains(expected),
                "{worker}: no {expected} in {printed}"
            );
        }
        assert!(!printed.contains("WARNING"), "{worker}: {printed}");
        let modules = std::fs::read_dir(folder.path())?.count();
        assert!(modules >= 2, "{worker}: nothing was bundled");
    }
    Ok(())
}

#[end_to_end::test]
async fn the_dispatch_worker_is_small() -> Result<()> {
    let finished = without_login(Command::new(&["deploy", "dispatcher", "--dry-run"]))
        .run()
        .await?;
    // `Total Upload: 112.04 KiB / gzip: 46.51 KiB`
    let size: f64 = finished
        .output
        .split_once("gzip: ")
        .and_then(|(_, rest)| rest.split_ascii_whitespace().next())
        .with_context(|| finished.output.clone())?
        .parse()?;
    assert!(size <= MOST, "{size} KiB");
    Ok(())
}

/// What `dev:remote` would run: the development namespace, remote, and no other.
#[end_to_end::test]
async fn dev_remote_reaches_the_development_namespace_alone() -> Result<()> {
    let finished = Command::new(&["dev-remote", "--help"]).run().await?;
    assert!(finished.succeeded, "{}", finished.errors);
    let finished = Command::new(&["dev-remote", "--", "--help"]).run().await?;
    assert!(finished.succeeded, "{}", finished.errors);
    let folder = TempDir::with_prefix("dotdo-remote-")?;
    let run = wrangler::run_alone(
        wrangler::Version::V4_152,
        &repository(),
        &[
            "deploy",
            "--dry-run",
            "--config",
            ".wrangler/remote.json",
            "--outdir",
            &folder.path().display().to_string(),
        ],
    )
    .await?;
    assert!(run.succeeded, "{}", run.output);
    let development = Environment::Development;
    assert!(
        run.output.contains(development.binding()) && run.output.contains(development.namespace()),
        "{}",
        run.output
    );
    for other in [Environment::Production, Environment::Staging] {
        assert!(!run.output.contains(other.binding()), "{}", run.output);
        assert!(!run.output.contains(other.namespace()), "{}", run.output);
    }
    Ok(())
}
