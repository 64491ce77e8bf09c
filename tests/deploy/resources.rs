//! Bindings to resources of the account, deployed by stock wrangler. The upstream of these tests simulates the resources.

use anyhow::Result;
use dotdo_names::Environment::Staging;
use end_to_end::{Project, wrangler::Version};
use serde_json::{Value, json};

use crate::{platforms::behind_relay, wrangler_commands::unwrapped};

const DEPLOY: [&str; 3] = ["deploy", "--dispatch-namespace", Staging.namespace()];

#[end_to_end::test]
async fn a_named_bucket_is_looked_up_and_bound() -> Result<()> {
    let relayed = behind_relay();
    let photos = json!({ "name": "photos", "creation_date": "2026-01-01T00:00:00Z" });
    relayed.relay.set_resource("r2/buckets/photos", 200, photos);
    relayed
        .relay
        .set_resource("r2/buckets", 200, json!({ "buckets": [{ "name": "photos" }] }));
    relayed
        .relay
        .set_resource("r2/buckets/unreadable", 403, Value::Null);
    let name = "bucket";
    for bucket in ["photos", "unreadable"] {
        let buckets = json!([{ "binding": "FILES", "bucket_name": bucket }]);
        let project = Project::new(name)?.setting("r2_buckets", buckets)?;
        // The second deploy finds the binding in the settings.
        for _ in 0..2 {
            let run = project.deploy(relayed.platform, Version::V4_152, Staging).await?;
            assert!(run.output.contains(bucket), "{}", run.output);
        }
    }
    let missing = json!([{ "binding": "FILES", "bucket_name": "missing" }]);
    let run = Project::new(name)?
        .setting("r2_buckets", missing)?
        .wrangler(relayed.platform, Version::V4_152, &DEPLOY)
        .await?
        .failure()?;
    let output = unwrapped(&run.output);
    assert!(output.contains("[code: 740120]"), "{output}");
    assert!(output.contains("npx wrangler r2 bucket create"), "{output}");
    assert!(output.contains("r2_buckets[].bucket_name"), "{output}");
    Ok(())
}

#[end_to_end::test]
async fn a_database_is_found_by_its_name() -> Result<()> {
    let relayed = behind_relay();
    let database = json!({ "uuid": "11111111-2222-4333-8444-555555555555", "name": "main-database" });
    for key in ["main-database", "11111111-2222-4333-8444-555555555555"] {
        relayed
            .relay
            .set_resource(&format!("d1/database/{key}"), 200, database.clone());
    }
    relayed.relay.set_resource("d1/database", 200, json!([database]));
    let name = "database";
    let databases = json!([{ "binding": "DB", "database_name": "main-database" }]);
    let project = Project::new(name)?.setting("d1_databases", databases)?;
    for _ in 0..2 {
        project.deploy(relayed.platform, Version::V4_152, Staging).await?;
    }
    let deployments = relayed.platform.deploy_api().deployments(Staging, name).await?;
    let kinds = deployments[0]["bundle"]["bindings"].to_string();
    assert!(
        kinds.contains("d1"),
        "an inherited binding is recorded as it is: {kinds}"
    );
    let missing = json!([{ "binding": "DB", "database_name": "missing" }]);
    let run = Project::new(name)?
        .setting("d1_databases", missing)?
        .wrangler(relayed.platform, Version::V4_152, &DEPLOY)
        .await?
        .failure()?;
    let output = unwrapped(&run.output);
    assert!(output.contains("npx wrangler d1 create"), "{output}");
    Ok(())
}

#[end_to_end::test]
async fn a_binding_without_an_id_is_inherited_or_refused_with_the_command() -> Result<()> {
    let relayed = behind_relay();
    relayed
        .relay
        .set_resource("storage/kv/namespaces", 200, json!([]));
    let name = "namespaceless";
    let without_id = |code: &str| -> Result<Project> {
        Project::new(name)?
            .version(code)?
            .setting("kv_namespaces", json!([{ "binding": "KV" }]))
    };
    let run = without_id("1")?
        .wrangler(relayed.platform, Version::V4_152, &DEPLOY)
        .await?
        .failure()?;
    let output = unwrapped(&run.output);
    assert!(output.contains("npx wrangler kv namespace create"), "{output}");
    assert!(output.contains("kv_namespaces[].id"), "{output}");
    let id = json!([{ "binding": "KV", "id": "0123456789abcdef0123456789abcdef" }]);
    let project = Project::new(name)?.setting("kv_namespaces", id)?;
    project.deploy(relayed.platform, Version::V4_152, Staging).await?;
    without_id("2")?
        .deploy(relayed.platform, Version::V4_152, Staging)
        .await?;
    let api = relayed.platform.deploy_api();
    let deployments = api.deployments(Staging, name).await?;
    let kinds = deployments[0]["bundle"]["bindings"].to_string();
    assert!(kinds.contains("kv_namespace"), "{kinds}");
    Ok(())
}
