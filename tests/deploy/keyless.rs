//! Deploys without a stored secret: a GitHub workflow exchanges its OIDC token for a deploy token.

use anyhow::{Context, Result};
use dotdo_names::Environment::{Production, Staging};
use end_to_end::{Answer, Project, issuer::OWNER_ID, wrangler::Version};
use reqwest::Method;
use serde_json::{Value, json};

use crate::platforms::{issuer, platform, text};

/// A policy rule that permits the main branch of a repository to deploy one Worker to one namespace.
pub fn rule(repository: &str, repository_id: u64, namespace: &str, worker: &str) -> Value {
    json!({
        "name": worker,
        "who": { "github": {
            "issuer": issuer().address(),
            "repository": repository,
            "repository_id": repository_id.to_string(),
            "repository_owner_id": OWNER_ID,
            "ref": "refs/heads/main",
            "environment": "production",
        } },
        "namespaces": [namespace],
        "workers": [worker],
        "actions": ["read", "deploy"],
    })
}

/// Adds this rule to the policy with the bootstrap token.
pub async fn allow(repository: &str, repository_id: u64, namespace: &str, worker: &str) -> Result<()> {
    let bootstrap = platform().secret("bootstrap_token")?;
    platform()
        .deploy_api_as(&bootstrap)
        .allow(rule(repository, repository_id, namespace, worker))
        .await
}

/// Exchanges an OIDC token. `client` is the client's IP address.
pub async fn exchange(token: &str, client: &str) -> Result<Answer> {
    let request = platform()
        .anonymous(Method::POST, "/v1/tokens/exchange")
        .header("CF-Connecting-IP", client)
        .json(&json!({ "token": token }));
    Answer::read(request.send().await?).await
}

/// Exchanges a valid OIDC token with these claims, and returns the deploy token.
pub async fn deploy_token(claims: &Value) -> Result<String> {
    let answer = exchange(&issuer().token(claims), "192.0.2.10").await?;
    anyhow::ensure!(
        answer.status == 200,
        "the exchange is rejected: {}",
        answer.text()
    );
    let token = answer.json()["token"].as_str().map(str::to_owned);
    token.context("the response has no token")
}

#[end_to_end::test]
async fn a_workflow_run_exchanges_its_token_and_deploys() -> Result<()> {
    let platform = platform();
    for (version, name, id) in [
        (Version::V4_86, "keyless-old", 5001),
        (Version::V4_152, "keyless-new", 5002),
    ] {
        let repository = format!("drivly/{name}");
        allow(&repository, id, Production.namespace(), name).await?;
        let claims = issuer().claims(&repository, id);
        let token = deploy_token(&claims).await?;
        assert!(token.starts_with("dotdo_"), "the prefix is missing");
        let project = Project::new(name)?;
        project
            .call(platform, version)
            .with_token(&token)
            .run(&["deploy", "--dispatch-namespace", Production.namespace()])
            .await?
            .success()?;
        assert_eq!(text(platform, Production, name).await?, "1");
        let deployments = platform.deploy_api().deployments(Production, name).await?;
        let identity = &deployments[0]["identity"];
        for claim in ["repository", "repository_id", "sha", "run_id", "actor", "ref"] {
            assert_eq!(identity[claim], claims[claim], "{identity}");
        }
        let whoami = project
            .call(platform, version)
            .with_token(&token)
            .run(&["whoami"])
            .await?
            .success()?;
        assert!(whoami.output.contains(&repository), "{}", whoami.output);
        assert!(whoami.output.contains(platform.account()), "{}", whoami.output);
    }
    Ok(())
}

#[end_to_end::test]
async fn wrangler_prints_what_the_token_permits() -> Result<()> {
    let platform = platform();
    allow("drivly/narrow", 5101, Production.namespace(), "narrow").await?;
    let token = deploy_token(&issuer().claims("drivly/narrow", 5101)).await?;
    let project = Project::new("narrow")?;
    // The right Worker in another namespace.
    let run = project
        .call(platform, Version::V4_152)
        .with_token(&token)
        .run(&["deploy", "--dispatch-namespace", Staging.namespace()])
        .await?
        .failure()?;
    assert!(run.output.contains("[code: 740103]"), "{}", run.output);
    assert!(run.output.contains("dotdo-production only"), "{}", run.output);
    // Another Worker in the right namespace.
    let run = Project::new("wider")?
        .call(platform, Version::V4_152)
        .with_token(&token)
        .run(&["deploy", "--dispatch-namespace", Production.namespace()])
        .await?
        .failure()?;
    assert!(run.output.contains("[code: 740103]"), "{}", run.output);
    assert!(run.output.contains("narrow"), "{}", run.output);
    Ok(())
}

#[end_to_end::test]
async fn names_the_claim_that_differs_for_another_branch() -> Result<()> {
    allow("drivly/branchy", 5201, Production.namespace(), "branchy").await?;
    let mut claims = issuer().claims("drivly/branchy", 5201);
    claims["ref"] = json!("refs/heads/feature");
    let answer = exchange(&issuer().token(&claims), "192.0.2.11").await?;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert_eq!(answer.json()["code"], "PERMISSION_DENIED");
    for expected in ["ref", "refs/heads/main", "refs/heads/feature"] {
        assert!(answer.text().contains(expected), "{expected}: {}", answer.text());
    }
    Ok(())
}

#[end_to_end::test]
async fn names_that_differ_only_in_case_are_the_same() -> Result<()> {
    allow("drivly/casing", 5251, Production.namespace(), "casing").await?;
    let mut claims = issuer().claims("Drivly/Casing", 5251);
    claims["environment"] = json!("Production");
    let token = deploy_token(&claims).await?;
    assert!(token.starts_with("dotdo_run_"));

    let mut branch = issuer().claims("Drivly/Casing", 5251);
    branch["ref"] = json!("refs/heads/Main");
    let answer = exchange(&issuer().token(&branch), "192.0.2.14").await?;
    assert_eq!(answer.status, 403, "{}", answer.text());
    for expected in [
        "the run has refs/heads/Main, which differs in case",
        "has repository drivly/casing, and the run has Drivly/Casing: the case is ignored",
    ] {
        assert!(answer.text().contains(expected), "{expected}: {}", answer.text());
    }
    let other = issuer().claims("drivly/casing", 5252);
    assert_eq!(
        exchange(&issuer().token(&other), "192.0.2.14").await?.status,
        403,
        "the ids decide"
    );
    Ok(())
}

#[end_to_end::test]
async fn says_in_a_whole_sentence_that_no_rule_is_about_the_run() -> Result<()> {
    let claims = issuer().claims("drivly/without-a-rule", 5261);
    let answer = exchange(&issuer().token(&claims), "192.0.2.15").await?;
    assert_eq!(answer.status, 403, "{}", answer.text());
    assert!(
        answer
            .text()
            .contains("The policy has no rule for drivly/without-a-rule."),
        "{}",
        answer.text()
    );
    let question = json!({
        "identity": { "github": {} },
        "action": "deploy", "namespace": "dotdo-production", "worker": "anything"
    });
    let explained = platform()
        .deploy_api()
        .post("/v1/policy/explain", &question)
        .await?;
    let lines = &explained["explanation"]["lines"];
    assert_eq!(
        lines[0],
        "A GitHub run may not deploy anything in dotdo-production."
    );
    assert_eq!(
        lines[1],
        "The run has neither a repository nor a repository_id, so no rule applies to it."
    );
    Ok(())
}

#[end_to_end::test]
async fn a_client_revokes_its_own_token() -> Result<()> {
    let platform = platform();
    allow("drivly/leaving", 5301, Production.namespace(), "leaving").await?;
    let token = deploy_token(&issuer().claims("drivly/leaving", 5301)).await?;
    let holder = platform.deploy_api_as(&token);
    holder.call(Method::DELETE, "/v1/tokens/self", None).await?;
    let run = Project::new("leaving")?
        .call(platform, Version::V4_152)
        .with_token(&token)
        .run(&["deploy", "--dispatch-namespace", Production.namespace()])
        .await?
        .failure()?;
    assert!(run.output.contains("[code: 740101]"), "{}", run.output);
    Ok(())
}

#[end_to_end::test]
async fn rejects_a_token_after_its_last_use() -> Result<()> {
    allow("drivly/chatty", 5401, Production.namespace(), "chatty").await?;
    let answer = exchange(
        &issuer().token(&issuer().claims("drivly/chatty", 5401)),
        "192.0.2.12",
    )
    .await?
    .json();
    let uses = answer["uses"].as_u64().context("the response has no uses")?;
    let token = answer["token"].as_str().context("the response has no token")?;
    let platform = platform();
    let request = async || -> Result<u16> {
        let call = platform
            .anonymous(Method::GET, &platform.script_path(Production, "chatty"))
            .header("CF-Connecting-IP", "192.0.2.12")
            .bearer_auth(token);
        Ok(call.send().await?.status().as_u16())
    };
    for number in 0..uses {
        assert_eq!(request().await?, 404, "request {number}");
    }
    assert_eq!(request().await?, 401);
    Ok(())
}

#[end_to_end::test]
async fn reads_the_issuers_keys_at_most_once_a_minute() -> Result<()> {
    let before = issuer().reads();
    for number in 0..5 {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": format!("unknown-{number}") });
        let claims = issuer().claims("drivly/nobody", 1);
        let token =
            end_to_end::issuer::tokens::signed(&header, &claims, end_to_end::issuer::tokens::Key::Issuers);
        assert_eq!(exchange(&token, "192.0.2.13").await?.status, 401);
    }
    // Two platforms use the issuer, also for other tests, and each reads the keys at most twice within this test.
    assert!(
        issuer().reads() - before <= 4,
        "{} reads",
        issuer().reads() - before
    );
    Ok(())
}
