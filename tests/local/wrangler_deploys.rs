//! Stock wrangler deploys to the local platform.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use dotdo_names::Environment;
use end_to_end::{Platform, repository, wrangler};
use tempfile::TempDir;

/// A copy of the example in a separate folder, like a user's project.
fn example() -> Result<TempDir> {
    let folder = TempDir::with_prefix("dotdo-example-")?;
    copy(&repository().join("examples/hello"), folder.path())?;
    Ok(folder)
}

pub fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let name = entry.file_name();
        // Files that `npm run dev` and wrangler write there.
        if name == ".env" || name == ".wrangler" || name == "node_modules" {
            continue;
        }
        let target: PathBuf = to.join(&name);
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn host(environment: Environment) -> String {
    let label = environment.host_labels().first();
    label.map_or_else(|| "hello.do".to_owned(), |label| format!("{label}.hello.do"))
}

/// One version after the other: the second one replaces scripts that the first one deployed.
#[end_to_end::test]
async fn deploys_the_example_with_each_version_to_each_environment() -> Result<()> {
    let platform = Platform::shared();
    for version in wrangler::Version::ALL {
        let folder = example()?;
        for environment in Environment::ALL {
            let arguments = ["deploy", "--dispatch-namespace", environment.namespace()];
            let run = wrangler::run(platform, version, folder.path(), &arguments).await?;
            assert!(run.succeeded, "{version:?} {environment}: {}", run.output);
            let host = host(environment);
            let answer = platform.get(&host, "/x").await?;
            assert_eq!(answer.text(), format!("Hello from {host}/x\n"), "{version:?}");
        }
        // The changed source is served as soon as wrangler has ended.
        let source = folder.path().join("src/index.ts");
        let changed = fs::read_to_string(&source)?.replace("from", "again from");
        fs::write(&source, changed)?;
        let arguments = ["deploy", "--dispatch-namespace", Environment::Staging.namespace()];
        let run = wrangler::run(platform, version, folder.path(), &arguments).await?;
        assert!(run.succeeded, "{version:?}: {}", run.output);
        let answer = platform.get("staging.hello.do", "/").await?;
        assert_eq!(answer.text(), "Hello again from staging.hello.do/\n");
        assert_eq!(
            platform.get("hello.do", "/").await?.text(),
            "Hello from hello.do/\n"
        );
    }
    Ok(())
}

/// A project needs only the `.env` file that `npm run dev` writes.
#[end_to_end::test]
async fn deploys_with_the_written_env_file() -> Result<()> {
    let platform = Platform::shared();
    let folder = example()?;
    fs::copy(platform.state().join(".env"), folder.path().join(".env"))?;
    let configuration = folder.path().join("wrangler.jsonc");
    let renamed = fs::read_to_string(&configuration)?.replace("\"hello\"", "\"by-env-file\"");
    fs::write(&configuration, renamed)?;
    let arguments = [
        "deploy",
        "--dispatch-namespace",
        Environment::Production.namespace(),
    ];
    let run = wrangler::run_without_variables(wrangler::Version::V4_152, folder.path(), &arguments).await?;
    assert!(run.succeeded, "{}", run.output);
    let answer = platform.get("by-env-file.do", "/").await?;
    assert_eq!(answer.text(), "Hello from by-env-file.do/\n");
    Ok(())
}

#[end_to_end::test]
async fn wrangler_prints_the_error_of_a_rejected_deploy() -> Result<()> {
    let platform = Platform::shared();
    let folder = TempDir::with_prefix("dotdo-refused-")?;
    let arguments = [
        "deploy",
        "--dispatch-namespace",
        Environment::Production.namespace(),
    ];
    for (version, extra, source, expected) in [
        (
            wrangler::Version::V4_86,
            r#", "hyperdrive": [{ "binding": "STORE", "id": "0123456789abcdef0123456789abcdef" }]"#,
            "export default { fetch() { return new Response(''); } };",
            ["STORE", "hyperdrive"],
        ),
        (
            wrangler::Version::V4_152,
            "",
            "throw new Error('no table of squirrels'); export default {};",
            ["no table of squirrels", "10021"],
        ),
    ] {
        let configuration = format!(
            r#"{{ "name": "refused", "main": "index.js", "compatibility_date": "2026-01-01"{extra} }}"#
        );
        fs::write(folder.path().join("wrangler.json"), configuration)?;
        fs::write(folder.path().join("index.js"), source)?;
        let run = wrangler::run(platform, version, folder.path(), &arguments).await?;
        assert!(!run.succeeded, "{}", run.output);
        for expected in expected {
            assert!(run.output.contains(expected), "no {expected}: {}", run.output);
        }
    }
    let unknown = wrangler::run(
        platform,
        wrangler::Version::V4_152,
        example()?.path(),
        &["deploy", "--dispatch-namespace", "no-such-namespace"],
    )
    .await?;
    assert!(
        !unknown.succeeded && unknown.output.contains("dotdo-production"),
        "{}",
        unknown.output
    );
    Ok(())
}

#[end_to_end::test]
async fn wrangler_lists_and_shows_the_namespaces() -> Result<()> {
    let platform = Platform::shared();
    let folder = TempDir::with_prefix("dotdo-namespaces-")?;
    for version in wrangler::Version::ALL {
        let list = wrangler::run(platform, version, folder.path(), &["dispatch-namespace", "list"]).await?;
        assert!(list.succeeded, "{}", list.output);
        for environment in Environment::ALL {
            assert!(list.output.contains(environment.namespace()), "{}", list.output);
        }
        let arguments = ["dispatch-namespace", "get", Environment::Staging.namespace()];
        let one = wrangler::run(platform, version, folder.path(), &arguments).await?;
        assert!(
            one.output.contains(Environment::Staging.namespace_id()),
            "{}",
            one.output
        );
    }
    Ok(())
}
