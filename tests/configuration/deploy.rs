//! `npm run check` and `npm run deploy`, without a Cloudflare login.

use anyhow::{Context, Result};
use dotdo_names::Environment;
use end_to_end::{Command, repository};
use tempfile::TempDir;

/// The unit tests of `xtask` have the mistakes that `npm run check` finds.
#[end_to_end::test]
async fn check_accepts_the_configuration() -> Result<()> {
    let finished = Command::new(&["check"]).run().await?;
    assert!(finished.succeeded, "{}", finished.errors);
    for file in [
        "wrangler.jsonc",
        "deploy-api/wrangler.jsonc",
        "logs/wrangler.jsonc",
        ".env.example",
    ] {
        assert!(finished.errors.contains(file), "{}", finished.errors);
    }
    Ok(())
}

/// The maximum size of the dispatch Worker (Wasm and JavaScript, bundled by wrangler), compressed with gzip, in bytes.
const BUDGET: f64 = 104_000.0;

/// An empty token, so that wrangler does not use a login of this machine.
fn without_login(command: Command) -> Command {
    command.variable("CLOUDFLARE_API_TOKEN", "")
}

// The Worker's configuration file did not parse, while CI was green, because tests mocked `get()`.
#[end_to_end::test]
async fn pitfall_20_wrangler_reads_the_configuration_of_the_workers() -> Result<()> {
    for (worker, bindings) in [
        (
            "dispatcher",
            Environment::ALL
                .iter()
                .flat_map(|environment| [environment.binding(), environment.namespace()])
                .collect::<Vec<_>>(),
        ),
        ("deploy-api", vec!["LEDGER", "BUNDLES", "DISPATCHER", "LOGS"]),
        ("logs", vec!["LOGS"]),
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
async fn the_dispatch_worker_is_within_its_size_budget() -> Result<()> {
    let finished = without_login(Command::new(&["deploy", "dispatcher", "--dry-run"]))
        .run()
        .await?;
    // `Total Upload: 112.04 KiB / gzip: 46.51 KiB`
    let kibibytes: f64 = finished
        .output
        .split_once("gzip: ")
        .and_then(|(_, rest)| rest.split_once(" KiB"))
        .with_context(|| format!("{}{}", finished.output, finished.errors))?
        .0
        .parse()?;
    let bytes = kibibytes * 1024.0;
    assert!(
        bytes <= BUDGET,
        "the dispatch Worker has {:.1} kB gzip, and its budget is {:.1} kB (1 kB = 1,000 bytes)",
        bytes / 1000.0,
        BUDGET / 1000.0
    );
    Ok(())
}

/// The local platform sets LOCALHOST itself, and `wrangler dev` takes it from .dev.vars; a deployed Worker never has it.
#[end_to_end::test]
async fn a_deploy_ignores_the_settings_of_wrangler_dev() -> Result<()> {
    let variables = std::fs::read_to_string(repository().join(".dev.vars"))?;
    assert!(variables.contains("LOCALHOST=do"), "{variables}");
    let finished = without_login(Command::new(&["deploy", "dispatcher", "--dry-run"]))
        .run()
        .await?;
    assert!(finished.succeeded, "{}", finished.errors);
    for absent in ["LOCALHOST", "remote"] {
        assert!(!finished.output.contains(absent), "{}", finished.output);
    }
    Ok(())
}
