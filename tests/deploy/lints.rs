//! Checks before a deploy: the deploy API rejects a mistake or warns of it, and names the binding and the fix.

use anyhow::Result;
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Project, Script, wrangler::Version};
use serde_json::json;

use crate::platforms::{behind_relay, platform, put, served, text};

/// Asserts that a deploy is rejected with this code and a message with these parts, and that the upstream gets no change.
async fn assert_rejected(name: &str, script: &Script, code: u32, parts: &[&str]) -> Result<()> {
    let relayed = behind_relay();
    let answer = put(relayed.platform, name, script).await?;
    let body = answer.json();
    assert!(answer.status.is_client_error(), "{name}: {}", answer.text());
    assert_eq!(body["errors"][0]["code"], code, "{name}: {body}");
    for part in parts {
        assert!(answer.text().contains(part), "{name}: no {part:?} in {body}");
    }
    let changes: Vec<_> = relayed
        .relay
        .requests(&format!("/scripts/{name}"))
        .into_iter()
        .filter(|request| request.method != "GET")
        .collect();
    assert_eq!(changes, [], "{name}");
    Ok(())
}

#[end_to_end::test]
async fn rejects_a_durable_object_of_a_worker_of_a_namespace() -> Result<()> {
    let relayed = behind_relay();
    relayed
        .platform
        .deploy(Production, "inner", &Script::answering("inside"))
        .await?;
    let script = Script::answering("x").with_binding(
        json!({ "type": "durable_object_namespace", "name": "ROOMS", "class_name": "Room", "script_name": "inner" }),
    );
    let parts = ["\\\"ROOMS\\\"", "\\\"inner\\\"", "https://inner.do"];
    assert_rejected("bound", &script, 740_142, &parts).await?;
    let entries = relayed
        .platform
        .deploy_api()
        .audit("namespace=dotdo-staging&worker=bound&outcome=denied")
        .await?;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["reason"]["bindings"], json!(["ROOMS"]));
    Ok(())
}

#[end_to_end::test]
async fn rejects_a_name_that_no_host_reaches() -> Result<()> {
    let long = "a".repeat(64);
    for (name, code) in [
        ("com", 740_140),
        ("staging", 740_140),
        ("a--b", 740_140),
        ("Agents", 740_140),
        ("under_score", 740_140),
        (long.as_str(), 740_140),
        ("agents-staging", 740_141),
        ("agents-production", 740_141),
        ("agents-dev", 740_141),
    ] {
        assert_rejected(name, &Script::answering("x"), code, &[]).await?;
    }
    assert_rejected(
        "agents-staging",
        &Script::answering("x"),
        740_141,
        &["agents", "dotdo-staging"],
    )
    .await?;
    Ok(())
}

#[end_to_end::test]
async fn rejects_env_with_any_name_of_an_environment() -> Result<()> {
    let platform = platform();
    let name = "with-env";
    let project = Project::new(name)?.setting("env", json!({ "prod": { "vars": { "VERSION": "2" } } }))?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    let deploy = [
        "deploy",
        "--dispatch-namespace",
        Staging.namespace(),
        "--env",
        "prod",
    ];
    let refused = project
        .wrangler(platform, Version::V4_152, &deploy)
        .await?
        .failure()?;
    assert!(refused.output.contains("[code: 740141]"), "{}", refused.output);
    let fix = format!("Add \"name\": \"{name}\" to env.prod");
    assert!(refused.output.contains(&fix), "{}", refused.output);
    let absent = served(platform, Staging, &format!("{name}-prod")).await?;
    assert_eq!(absent.header("x-dispatch-error"), "WORKER_NOT_DEPLOYED");

    // The fix.
    let env = json!({ "prod": { "name": name, "vars": { "VERSION": "2" } } });
    let project = project.setting("env", env)?;
    for _ in 0..2 {
        project
            .wrangler(platform, Version::V4_152, &deploy)
            .await?
            .success()?;
    }
    assert_eq!(text(platform, Staging, name).await?, "2");
    Ok(())
}

#[end_to_end::test]
async fn rejects_containers() -> Result<()> {
    let script = Script::answering("x").with("containers", json!([{ "class_name": "Box" }]));
    assert_rejected("boxed", &script, 740_146, &["containers"]).await?;
    let consumer = Script::answering("x").with("streaming_tail_consumers", json!([{ "service": "spooled" }]));
    let inner = Script::answering("inside");
    behind_relay()
        .platform
        .deploy(Production, "spooled", &inner)
        .await?;
    assert_rejected(
        "tailed",
        &consumer,
        740_142,
        &["streaming_tail_consumers", "spooled"],
    )
    .await
}

#[end_to_end::test]
async fn rejects_triggers_that_a_namespace_drops() -> Result<()> {
    for (key, value) in [
        ("routes", json!(["a.do/*"])),
        ("crons", json!(["* * * * *"])),
        ("queue_consumers", json!([{ "queue": "q" }])),
    ] {
        let script = Script::answering("x").with(key, value);
        assert_rejected("triggered", &script, 740_143, &[key]).await?;
    }
    Ok(())
}

#[end_to_end::test]
async fn warns_of_a_cron_in_the_configuration() -> Result<()> {
    let platform = platform();
    let project = Project::new("ticking")?
        .file(
            "index.js",
            "export default { fetch() { return new Response('x'); }, scheduled() {} };",
        )?
        .setting("triggers", json!({ "crons": ["* * * * *"] }))?;
    project.deploy(platform, Version::V4_152, Staging).await?;
    let deployments = platform.deploy_api().deployments(Staging, "ticking").await?;
    let warnings = &deployments[0]["warnings"];
    assert_eq!(warnings[0]["code"], "TRIGGER_DROPPED", "{deployments:?}");
    assert!(warnings.to_string().contains("scheduled"), "{warnings}");
    Ok(())
}

#[end_to_end::test]
async fn rejects_a_compatibility_date_that_is_invalid_or_in_the_future() -> Result<()> {
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    for date in ["2999-01-01", "soon"] {
        let script = Script::answering("x").with("compatibility_date", json!(date));
        assert_rejected("early", &script, 740_144, &[date, &today]).await?;
    }
    Ok(())
}

#[end_to_end::test]
async fn warns_of_a_compatibility_date_older_than_a_year() -> Result<()> {
    let platform = platform();
    let script = Script::answering("x").with("compatibility_date", json!("2022-02-03"));
    let answer = put(platform, "dusty", &script).await?;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(
        answer.json()["messages"].to_string().contains("2022-02-03"),
        "{}",
        answer.text()
    );
    let deployments = platform.deploy_api().deployments(Staging, "dusty").await?;
    let warnings = &deployments[0]["warnings"];
    assert_eq!(warnings[0]["code"], "COMPATIBILITY_DATE_OLD", "{deployments:?}");
    Ok(())
}
