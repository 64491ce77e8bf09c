//! Defects of deploys in an earlier build of this system. Each test has the number of its defect.

use anyhow::Result;
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Project, Script, relay::Fault, worker_path, wrangler::Version};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    keyless::{allow, deploy_token},
    platforms::{behind_relay, issuer, platform, put, text},
};

#[end_to_end::test]
async fn pitfall_11_a_deploy_keeps_the_records_of_earlier_ones() -> Result<()> {
    let platform = platform();
    for answer in ["1", "2", "3"] {
        platform
            .deploy(Production, "pitfall-11", &Script::answering(answer))
            .await?;
    }
    let api = platform.deploy_api();
    let deployments = api.deployments(Production, "pitfall-11").await?;
    assert_eq!(deployments.len(), 3);
    // Each can be redeployed.
    let path = format!("{}/rollback", worker_path(Production, "pitfall-11"));
    for (deployment, answer) in deployments.iter().rev().zip(["1", "2", "3"]) {
        api.post(&path, &json!({ "deployment": deployment["id"] }))
            .await?;
        assert_eq!(text(platform, Production, "pitfall-11").await?, answer);
    }
    Ok(())
}

#[end_to_end::test]
async fn pitfall_12_accepts_the_message_and_tag_of_ci() -> Result<()> {
    let platform = platform();
    let project = Project::new("pitfall-12")?;
    for version in Version::ALL {
        let run = project
            .wrangler(
                platform,
                version,
                &[
                    "deploy",
                    "--dispatch-namespace",
                    Production.namespace(),
                    "--message",
                    "from CI",
                    "--tag",
                    "v1.2.3",
                ],
            )
            .await?
            .success()?;
        assert!(!run.output.contains("[code:"), "{}", run.output);
    }
    Ok(())
}

#[end_to_end::test]
async fn pitfall_13_provenance_comes_from_the_token_and_not_from_the_request() -> Result<()> {
    let platform = platform();
    allow("drivly/pitfall-13", 7301, Production.namespace(), "pitfall-13").await?;
    let token = deploy_token(&issuer().claims("drivly/pitfall-13", 7301)).await?;
    let script = Script::answering("x").with(
        "annotations",
        json!({ "workers/message": "author: mallory, branch: evil", "workers/tag": "evil" }),
    );
    let call = platform
        .anonymous(Method::PUT, &platform.script_path(Production, "pitfall-13"))
        .bearer_auth(&token)
        .header("X-Actor", "mallory")
        .header("X-GitHub-Actor", "mallory")
        .multipart(script.to_form());
    assert_eq!(call.send().await?.status(), 200);
    let deployments = platform
        .deploy_api()
        .deployments(Production, "pitfall-13")
        .await?;
    let identity = &deployments[0]["identity"];
    assert_eq!(identity["actor"], "octocat");
    assert_eq!(identity["ref"], "refs/heads/main");
    assert_eq!(identity["sha"], "0f9f3a6c3b4a1d2e5f60718293a4b5c6d7e8f901");
    assert!(!identity.to_string().contains("mallory"), "{identity}");
    Ok(())
}

#[end_to_end::test]
async fn pitfall_14_keeps_the_bindings_and_the_compatibility_date_of_the_project() -> Result<()> {
    let relayed = behind_relay();
    let project = Project::new("pitfall-14")?.setting("compatibility_date", json!("2026-03-04"))?;
    project.deploy(relayed.platform, Version::V4_152, Staging).await?;
    let path = format!(
        "{}/settings",
        relayed.cloudflare.script_path(Staging, "pitfall-14")
    );
    let settings: Value = relayed
        .cloudflare
        .api(Method::GET, &path)
        .send()
        .await?
        .json()
        .await?;
    let settings = &settings["result"];
    assert_eq!(settings["compatibility_date"], "2026-03-04", "{settings}");
    assert!(settings["bindings"].is_array(), "{settings}");
    assert_eq!(settings["bindings"][0]["name"], "VERSION", "{settings}");
    Ok(())
}

#[end_to_end::test]
async fn pitfall_15_records_a_failed_deploy() -> Result<()> {
    let relayed = behind_relay();
    relayed
        .relay
        .plan("PUT", "/scripts/pitfall-15", 1, Fault::Status(500));
    let answer = put(relayed.platform, "pitfall-15", &Script::answering("x")).await?;
    assert_eq!(answer.status, 502, "{}", answer.text());
    let api = relayed.platform.deploy_api();
    let deployments = api.deployments(Staging, "pitfall-15").await?;
    assert_eq!(deployments[0]["state"], "failed", "{deployments:?}");
    let entries = api.audit("worker=pitfall-15").await?;
    let outcomes: Vec<_> = entries.iter().map(|entry| &entry["outcome"]).collect();
    assert_eq!(outcomes, ["intent", "failed"]);
    Ok(())
}

#[end_to_end::test]
async fn pitfall_16_a_failed_rollback_is_reported_as_failed() -> Result<()> {
    let relayed = behind_relay();
    for answer in ["1", "2"] {
        relayed
            .platform
            .deploy(Staging, "pitfall-16", &Script::answering(answer))
            .await?;
    }
    relayed
        .relay
        .plan("PUT", "/scripts/pitfall-16", 1, Fault::Status(500));
    let api = relayed.platform.deploy_api();
    let path = format!("{}/rollback", worker_path(Staging, "pitfall-16"));
    let answer = api.send(Method::POST, &path, Some(&json!({}))).await?;
    assert_eq!(answer.status, 502, "{}", answer.text());
    assert_eq!(text(relayed.cloudflare, Staging, "pitfall-16").await?, "2");
    let deployments = api.deployments(Staging, "pitfall-16").await?;
    assert_eq!(deployments[0]["verb"], "rollback");
    assert_eq!(deployments[0]["state"], "failed");
    // A successful rollback changes the served version.
    api.post(&path, &json!({})).await?;
    assert_eq!(text(relayed.cloudflare, Staging, "pitfall-16").await?, "1");
    Ok(())
}

#[end_to_end::test]
async fn pitfall_17_a_token_for_one_worker_and_environment_permits_no_other() -> Result<()> {
    let platform = platform();
    allow("drivly/pitfall-17", 7701, Production.namespace(), "pitfall-17").await?;
    let token = deploy_token(&issuer().claims("drivly/pitfall-17", 7701)).await?;
    let put = async |environment, name: &str| -> Result<u16> {
        let call = platform
            .anonymous(Method::PUT, &platform.script_path(environment, name))
            .bearer_auth(&token)
            .multipart(Script::answering("x").to_form());
        Ok(call.send().await?.status().as_u16())
    };
    assert_eq!(put(Production, "pitfall-17").await?, 200);
    assert_eq!(put(Staging, "pitfall-17").await?, 403);
    assert_eq!(put(Production, "pitfall-17-other").await?, 403);
    assert_eq!(put(Production, "pitfall-1").await?, 403);
    let holder = platform.deploy_api_as(&token);
    let path = worker_path(Production, "pitfall-17");
    for (method, path) in [
        (Method::DELETE, path.clone()),
        (Method::POST, format!("{path}/rollback")),
        (Method::PUT, format!("{path}/secrets/KEY")),
        (Method::PUT, format!("{path}/lock")),
    ] {
        let body = json!({ "text": "x", "why": "x" });
        let answer = holder.send(method, &path, Some(&body)).await?;
        assert!(
            [400, 403].contains(&answer.status.as_u16()),
            "{path}: {}",
            answer.text()
        );
    }
    assert_eq!(text(platform, Production, "pitfall-17").await?, "x");
    Ok(())
}

#[end_to_end::test]
async fn pitfall_18_records_the_actor() -> Result<()> {
    let platform = platform();
    allow("drivly/pitfall-18", 7801, Production.namespace(), "pitfall-18").await?;
    let mut claims = issuer().claims("drivly/pitfall-18", 7801);
    claims["actor"] = json!("mona");
    claims["actor_id"] = json!("4004");
    let token = deploy_token(&claims).await?;
    let call = platform
        .anonymous(Method::PUT, &platform.script_path(Production, "pitfall-18"))
        .bearer_auth(&token)
        .multipart(Script::answering("x").to_form());
    assert_eq!(call.send().await?.status(), 200);
    let entries = platform.deploy_api().audit("actor=mona&verb=deploy").await?;
    assert_eq!(entries.len(), 2, "{entries:?}");
    for entry in entries {
        assert_eq!(entry["identity"]["actor_id"], "4004");
        assert_eq!(entry["worker"], "pitfall-18");
    }
    Ok(())
}

#[end_to_end::test]
async fn pitfall_19_health_needs_no_token_as_documented() -> Result<()> {
    let platform = platform();
    let answer = platform.anonymous(Method::GET, "/v1/health").send().await?;
    assert_eq!(answer.status(), 200);
    let document: Value = platform
        .anonymous(Method::GET, "/v1/openapi.json")
        .send()
        .await?
        .json()
        .await?;
    assert_eq!(
        document["paths"]["/v1/health"]["get"]["security"],
        json!([{}, { "token": [] }]),
        "the OpenAPI document requires a token"
    );
    Ok(())
}
