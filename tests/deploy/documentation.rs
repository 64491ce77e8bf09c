//! The shell blocks and the JSON examples of the documents, executed as they are written.

use std::{collections::BTreeMap, fmt::Write, fs, os::unix::fs::PermissionsExt as _, path::Path};

use anyhow::{Context, Result, ensure};
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{
    Account, Command, Options, Platform, Project, Script, repository,
    shell::{Shell, succeeded},
    wrangler::Version,
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::markdown::{Block, blocks};

/// All documents with commands.
const DOCUMENTS: [&str; 12] = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/cli.md",
    "docs/deploy-api.md",
    "docs/deploy-api-design.md",
    "docs/errors.md",
    "docs/github-actions.md",
    "docs/local-platform.md",
    "docs/migration.md",
    "docs/performance.md",
    "docs/routing.md",
    "docs/runbook.md",
];

fn of_language(document: &'static str, language: &str) -> Result<Vec<Block>> {
    let mut all = blocks(document)?;
    all.retain(|block| block.language == language);
    Ok(all)
}

/// One script with the shell blocks of a document, except those whose comment says why they cannot be executed here. Each starts in
/// the same folder, and variables are kept. `replaced` are the texts that the document says to replace.
fn script(document: &'static str, replaced: &[(&str, &str)]) -> Result<String> {
    let mut script = "set -eo pipefail\n".to_owned();
    for block in of_language(document, "sh")? {
        if block.reason_to_skip().is_some() {
            continue;
        }
        let text = replaced
            .iter()
            .fold(block.text, |text, (from, to)| text.replace(from, to));
        let line = block.line;
        writeln!(script, "cd \"$FOLDER\"; echo '== {document}:{line}'\n{text}")?;
    }
    script.push_str("echo '== the end'\n");
    Ok(script)
}

/// Runs the shell blocks of a document in a folder.
async fn execute(
    document: &'static str,
    folder: &Path,
    replaced: &[(&str, &str)],
    variables: &[(&str, &str)],
) -> Result<String> {
    let shell = Shell::new()?;
    let script = script(document, replaced)?;
    let mut command = shell
        .bash(folder, &[], &script)?
        .variable("FOLDER", &folder.display().to_string());
    for (name, value) in variables {
        command = command.variable(name, value);
    }
    let run = command.run().await.with_context(|| document.to_owned())?;
    succeeded(&run)?;
    ensure!(
        run.output.ends_with("== the end\n"),
        "{}\n{}",
        run.output,
        run.errors
    );
    Ok(run.output)
}

/// A Worker whose health check the document describes.
const ANSWERS_ITS_VERSION: &str = "export default { fetch(request, env) { \
    return new Response('', { headers: { 'x-version': env.VERSION ?? 'none' } }); } };";

/// A platform that no other test changes.
fn own_platform() -> Platform {
    Platform::start(Options::new().deploy_api_variable(
        "CHECKPOINT_KEY",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    ))
}

#[end_to_end::test]
async fn every_shell_block_can_be_parsed() -> Result<()> {
    let shell = Shell::new()?;
    let mut skipped = BTreeMap::new();
    for document in DOCUMENTS {
        for block in of_language(document, "sh")? {
            let run = shell.bash(&repository(), &["-n"], &block.text)?.run().await?;
            ensure!(
                run.succeeded && run.errors.is_empty(),
                "{document}:{}: {}",
                block.line,
                run.errors
            );
            if let Some(reason) = block.reason_to_skip() {
                *skipped.entry(reason).or_insert(0) += 1;
            }
        }
    }
    println!("not executed: {skipped:?}");
    Ok(())
}

#[end_to_end::test]
async fn the_commands_of_the_deploy_api_and_of_the_runbook_work() -> Result<()> {
    let platform = own_platform();
    let project = Project::new("agents")?.file("index.js", ANSWERS_ITS_VERSION)?;
    for version in ["1", "2"] {
        let project = Project::new("agents")?
            .file("index.js", ANSWERS_ITS_VERSION)?
            .version(version)?;
        project.deploy(&platform, Version::V4_152, Production).await?;
    }
    for block in of_language("docs/deploy-api.md", "json")? {
        if let Some(name) = block.file() {
            fs::write(project.path(name), &block.text)?;
        }
    }
    let origin = format!("http://localhost:{}", platform.port());
    let state = platform.state().display().to_string();
    let replaced = [
        ("http://localhost:8787", origin.as_str()),
        (".wrangler/state", state.as_str()),
    ];
    let output = execute("docs/deploy-api.md", project.folder(), &replaced, &[]).await?;
    assert!(output.contains("Current Version ID"), "{output}");
    let api = platform.deploy_api();
    // The developer's rule is kept, and the rules of the example are added.
    let policy = api.get("/v1/policy?version=2").await?.to_string();
    for rule in ["developer-of-this-machine", "operators", "agents"] {
        assert!(policy.contains(&format!("\"{rule}\"")), "{policy}");
    }
    assert_eq!(api.deployments(Staging, "agents").await?.len(), 1);

    let variables = [("DOTDO_API", origin.as_str()), ("DOTDO_TOKEN", platform.token())];
    execute("docs/runbook.md", project.folder(), &[], &variables).await?;
    let lock = api
        .get("/v1/namespaces/dotdo-production/workers/agents/lock")
        .await?;
    assert!(lock.to_string().contains("agents fails on every POST"), "{lock}");
    Ok(())
}

#[end_to_end::test]
async fn the_commands_of_the_readme_and_of_the_routing_work() -> Result<()> {
    let platform = own_platform();
    let folder = TempDir::with_prefix("dotdo-documents-")?;
    let example = folder.path().join("examples/hello");
    for file in ["wrangler.jsonc", "src/index.ts", "node_modules"] {
        let target = example.join(file);
        fs::create_dir_all(target.parent().context("the file has no folder")?)?;
        if file == "node_modules" {
            std::os::unix::fs::symlink(repository().join(file), target)?;
        } else {
            fs::copy(repository().join("examples/hello").join(file), target)?;
        }
    }
    // `npm run dev` writes this file.
    fs::copy(platform.state().join(".env"), example.join(".env"))?;
    let origin = format!("http://localhost:{}", platform.port());
    let replaced = [("http://localhost:8787", origin.as_str())];
    let output = execute("README.md", folder.path(), &replaced, &[]).await?;
    assert!(output.contains("Hello from hello.do"), "{output}");
    let output = execute("docs/routing.md", folder.path(), &[], &[]).await?;
    assert!(output.contains("shop"), "{output}");
    Ok(())
}

/// Sends a JSON example to the call that it is an example of.
async fn send(platform: &Platform, block: &Block) -> Result<()> {
    let body: Value = serde_json::from_str(&block.text)?;
    let (method, path) = if body.get("rules").is_some() {
        (Method::PUT, "/v1/policy?dry_run=true&confirm=lock_out")
    } else if body.get("identity").is_some() {
        (Method::POST, "/v1/policy/explain")
    } else if body.get("why").is_some() {
        (Method::POST, "/v1/audit/break-glass")
    } else {
        anyhow::bail!("no call has this body");
    };
    let answer = platform.deploy_api().call(method, path, Some(&body)).await?;
    let is_explained = answer.get("allowed").is_some() || path != "/v1/policy/explain";
    ensure!(is_explained, "{answer}");
    Ok(())
}

#[end_to_end::test]
async fn every_json_example_is_accepted() -> Result<()> {
    let platform = own_platform();
    let mut count = 0;
    for document in DOCUMENTS {
        // The tests of the dispatch Worker load the examples of this document.
        if document == "docs/routing.md" {
            continue;
        }
        for block in of_language(document, "json")? {
            send(&platform, &block)
                .await
                .with_context(|| format!("{document}:{}\n{}", block.line, block.text))?;
            count += 1;
        }
    }
    ensure!(count >= 6, "only {count} examples were found");
    Ok(())
}

/// The account Workers of the document about migrations.
async fn prepare_migration(platform: &Platform) -> Result<()> {
    let account = Account::of(platform)?;
    let answering = |code: &str| {
        Script::module(&format!(
            "export default {{ fetch(request) {{ return new Response(new URL(request.url).pathname); }}, {code} }};"
        ))
    };
    let service = |name: &str| json!({ "type": "service", "name": "AUTH", "service": name });
    let secret = json!({ "type": "secret_text", "name": "STRIPE_KEY", "text": "s" });
    account.upload("auth", &answering("")).await?;
    account
        .upload("api", &answering("").with_binding(service("auth")))
        .await?;
    account.upload("api-staging", &answering("")).await?;
    account
        .upload("billing", &answering("").with_binding(secret))
        .await?;
    account
        .upload(
            "nightly",
            &answering("scheduled() {}").with_binding(service("auth")),
        )
        .await?;
    let jwt = account.assets("website").await?;
    let website = answering("").with("assets", json!({ "jwt": jwt, "config": {} }));
    account.upload("website", &website).await?;
    let schedules = "ACCOUNT/workers/scripts/nightly/schedules";
    account
        .call(Method::PUT, schedules, &json!([{ "cron": "0 3 * * *" }]))
        .await?;
    let zone = account
        .call(Method::POST, "/zones", &json!({ "name": "example.com" }))
        .await?;
    let id = zone["id"].as_str().context("a zone")?;
    let route = json!({ "pattern": "example.com/api/*", "script": "api" });
    account
        .call(Method::POST, &format!("/zones/{id}/workers/routes"), &route)
        .await?;
    let domain = json!({ "hostname": "billing.example.com", "service": "billing", "zone_id": id });
    account
        .call(Method::PUT, "ACCOUNT/workers/domains", &domain)
        .await
        .map(drop)
}

#[end_to_end::test]
async fn the_commands_of_the_migration_print_what_the_document_shows() -> Result<()> {
    let platform = own_platform();
    prepare_migration(&platform).await?;
    let folder = TempDir::with_prefix("dotdo-documents-")?;
    let secrets = folder.path().join("secrets.json");
    fs::write(&secrets, r#"{ "billing": { "STRIPE_KEY": "s" } }"#)?;
    fs::set_permissions(&secrets, fs::Permissions::from_mode(0o600))?;
    let rules = json!([
        { "pattern": "example.com/api/*", "worker": "api" },
        { "pattern": "billing.example.com", "worker": "billing" },
    ]);
    fs::write(folder.path().join("routes.json"), rules.to_string())?;
    let origin = format!("http://localhost:{}", platform.port());
    // The document is read in a clone with these rules.
    let replaced = [
        ("--write plan.jsonc", "--write plan.jsonc --routes routes.json"),
        ("--dry-run", "--dry-run --routes routes.json"),
    ];
    let variables = [("DOTDO_API", origin.as_str()), ("DOTDO_TOKEN", platform.token())];
    let output = execute("docs/migration.md", folder.path(), &replaced, &variables).await?;
    for block in of_language("docs/migration.md", "text")? {
        for line in block.text.lines().filter(|line| !line.is_empty()) {
            ensure!(
                output.contains(line),
                "docs/migration.md:{}: {line}\n{output}",
                block.line
            );
        }
    }
    for block in of_language("docs/migration.md", "jsonl")? {
        let file = folder.path().join("requests.ndjson").display().to_string();
        fs::write(&file, &block.text)?;
        let plan = folder.path().join("plan.jsonc").display().to_string();
        let arguments = ["migrate", "verify", &plan, "--requests", &file, "--all-methods"];
        let run = Command::dotdo(&arguments)?
            .variable("DOTDO_API", &origin)
            .variable("DOTDO_TOKEN", platform.token())
            .run()
            .await?;
        succeeded(&run)?;
    }
    Ok(())
}
