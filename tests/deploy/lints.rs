//! What is refused or warned of before anything goes upstream, each with the exact binding and fix.

use anyhow::Result;
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Answer, Platform, Project, Script, wrangler::Version};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platforms::{distant, platform};

/// Deploys and gives the answer, whatever it is.
async fn try_deploy(platform: &Platform, name: &str, script: &Script) -> Result<Answer> {
    let call = platform.api(Method::PUT, &platform.script_path(Staging, name));
    Answer::read(call.multipart(script.to_form()).send().await?).await
}

/// That a deploy is refused with this code, in a text with these parts, before the upstream was asked to do it.
async fn refused(name: &str, script: &Script, code: u32, said: &[&str]) -> Result<Value> {
    let distant = distant();
    let answer = try_deploy(distant.platform, name, script).await?;
    let body = answer.json();
    assert!(answer.status.is_client_error(), "{name}: {}", answer.text());
    assert_eq!(body["errors"][0]["code"], code, "{name}: {body}");
    for part in said {
        assert!(answer.text().contains(part), "{name}: no {part:?} in {body}");
    }
    let changes: Vec<_> = distant
        .relay
        .requests(&format!("/scripts/{name}"))
        .into_iter()
        .filter(|request| request.method != "GET")
        .collect();
    assert_eq!(changes, [], "{name}");
    Ok(body)
}

#[end_to_end::test]
async fn a_service_binding_to_a_worker_of_a_namespace() -> Result<()> {
    let distant = distant();
    distant
        .platform
        .deploy(Production, "inner", &Script::answering("inside"))
        .await?;
    let script = Script::answering("x")
        .with_binding(json!({ "type": "service", "name": "AUTH_SERVICE", "service": "inner" }));
    let said = ["\\\"AUTH_SERVICE\\\"", "\\\"inner\\\"", "https://inner.do"];
    refused("bound", &script, 740_142, &said).await?;
    let entries = distant
        .platform
        .deploy_api()
        .audit("namespace=dotdo-staging&worker=bound&outcome=denied")
        .await?;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["reason"]["bindings"], json!(["AUTH_SERVICE"]));
    Ok(())
}

#[end_to_end::test]
async fn a_name_that_no_host_could_reach() -> Result<()> {
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
        refused(name, &Script::answering("x"), code, &[]).await?;
    }
    refused(
        "agents-staging",
        &Script::answering("x"),
        740_141,
        &["agents", "dotdo-staging"],
    )
    .await?;
    Ok(())
}

#[end_to_end::test]
async fn triggers_that_a_namespace_drops() -> Result<()> {
    for (key, value) in [
        ("routes", json!(["a.do/*"])),
        ("crons", json!(["* * * * *"])),
        ("queue_consumers", json!([{ "queue": "q" }])),
    ] {
        let script = Script::answering("x").with(key, value);
        refused("triggered", &script, 740_143, &[key]).await?;
    }
    Ok(())
}

#[end_to_end::test]
async fn a_cron_of_the_configuration_is_warned_of() -> Result<()> {
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
async fn a_compatibility_date_in_the_future_or_none() -> Result<()> {
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    for date in ["2999-01-01", "soon"] {
        let script = Script::answering("x").with("compatibility_date", json!(date));
        refused("early", &script, 740_144, &[date, &today]).await?;
    }
    Ok(())
}

#[end_to_end::test]
async fn a_compatibility_date_older_than_a_year_is_warned_of() -> Result<()> {
    let platform = platform();
    let script = Script::answering("x").with("compatibility_date", json!("2022-02-03"));
    let answer = try_deploy(platform, "dusty", &script).await?;
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
