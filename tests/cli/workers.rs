//! Lists: `status`, `workers`, `worker`, `deployments`, `tags`, `secrets`, `health`.

use anyhow::Result;
use dotdo_names::Environment::{Development, Production, Staging};
use serde_json::{Value, json};

use crate::program::{assert_contains, deploy, dotdo, fails, json, platform, succeeds};

#[end_to_end::test]
async fn lists_workers_with_who_deployed_them_and_their_urls() -> Result<()> {
    deploy(Staging, "listed", &["1"]).await?;
    let text = succeeds(&["workers", "staging"]).await?;
    let url = format!("http://staging.listed.localhost:{}", platform().port());
    assert_contains(&text, &["WORKER", "listed", "developer", &url]);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines.iter().all(|line| !line.contains('\x1b')), "{text}");

    let all = json(&["workers"]).await?;
    let namespaces = all["namespaces"].as_array().expect("a list");
    assert_eq!(namespaces.len(), 3, "{all}");
    let found = namespaces.iter().find(|found| found["environment"] == "staging");
    let items = found.and_then(|found| found["items"].as_array()).expect("a list");
    assert!(items.iter().any(|item| item["name"] == "listed"), "{all}");
    let tagged = succeeds(&["workers", "staging", "--tag", "no-such-tag"]).await?;
    assert_eq!(tagged, "There are no Workers with the tag no-such-tag.\n");
    // An alias of an environment, and the name of its namespace.
    succeeds(&["workers", "dev"]).await?;
    succeeds(&["workers", "dotdo-development"]).await?;
    Ok(())
}

#[end_to_end::test]
async fn shows_one_worker_in_all_environments() -> Result<()> {
    deploy(Staging, "shown", &["1"]).await?;
    deploy(Production, "shown", &["1"]).await?;
    let text = succeeds(&["worker", "shown"]).await?;
    let url = format!("http://shown.localhost:{}", platform().port());
    assert_contains(
        &text,
        &[
            "production (dotdo-production)",
            &url,
            "not deployed",
            "by developer",
        ],
    );
    let shown = json(&["worker", "shown"]).await?;
    let deployed: Vec<bool> = shown["environments"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|found| !found["worker"].is_null())
        .collect();
    assert_eq!(deployed, [true, true, false], "{shown}");

    let unknown = fails(1, &["worker", "never-deployed"]).await?;
    assert_contains(
        &unknown.errors,
        &[
            "never-deployed is not deployed",
            "dotdo workers",
            "dotdo deployments never-deployed",
        ],
    );
    fails(2, &["worker", "Not_a_name"]).await?;
    Ok(())
}

#[end_to_end::test]
async fn lists_deployments_of_one_or_all_workers() -> Result<()> {
    deploy(Development, "history", &["1", "2"]).await?;
    let text = succeeds(&["deployments", "history", "--env", "dev", "--since", "1h"]).await?;
    assert_contains(
        &text,
        &["WHEN", "development", "history", "deploy", "serving", "developer"],
    );
    assert_eq!(text.lines().count(), 3, "{text}");
    let one = json(&["deployments", "history", "--limit", "1"]).await?;
    assert_eq!(one["items"].as_array().map(Vec::len), Some(1), "{one}");
    assert_eq!(one["items"][0]["serving"], true);
    let none = succeeds(&["deployments", "history", "--env", "production"]).await?;
    assert_eq!(none, "There are no such deployments.\n");
    succeeds(&["deployments"]).await?;
    fails(2, &["deployments", "--since", "yesterday"]).await?;
    Ok(())
}

#[end_to_end::test]
async fn status_names_what_needs_attention_with_the_command_that_helps() -> Result<()> {
    deploy(Development, "attention", &["1"]).await?;
    succeeds(&[
        "lock",
        "attention",
        "--env",
        "development",
        "--why",
        "a demonstration",
    ])
    .await?;
    let text = succeeds(&["status"]).await?;
    assert_contains(
        &text,
        &[
            "ENVIRONMENT",
            "production",
            "attention in development",
            "a demonstration",
            "dotdo unlock attention --env development",
        ],
    );
    let status = json(&["status"]).await?;
    let development = &status["namespaces"][2];
    assert_eq!(development["environment"], "development", "{status}");
    assert!(development["workers"].as_u64() > Some(0), "{status}");
    assert!(
        development["last_day"]["succeeded"].as_u64() > Some(0),
        "{status}"
    );
    let locks = development["locks"].as_array().expect("a list");
    assert!(locks.iter().any(|lock| lock["worker"] == "attention"), "{status}");
    Ok(())
}

#[end_to_end::test]
async fn sets_and_removes_tags_secrets_and_the_health_check() -> Result<()> {
    deploy(Staging, "settings", &["1"]).await?;
    let worker = ["settings", "--env", "staging"];
    let with = |command: &[&'static str], more: &[&'static str]| [command, &worker, more].concat();

    assert_eq!(
        succeeds(&with(&["tags", "set"], &["team:a", "b"])).await?,
        "team:a\nb\n"
    );
    assert_eq!(
        json(&with(&["tags", "list"], &[])).await?,
        json!({ "tags": ["team:a", "b"] })
    );
    let tagged = json(&["workers", "staging", "--tag", "team:a"]).await?;
    assert_eq!(
        tagged["namespaces"][0]["items"].as_array().map(Vec::len),
        Some(1),
        "{tagged}"
    );

    let set = dotdo(&with(&["secrets", "set"], &["API_KEY"]))?
        .input("hidden-value\n")
        .run()
        .await?;
    assert_eq!(set.code, Some(0), "{}", set.errors);
    assert!(!(set.output + &set.errors).contains("hidden-value"));
    let listed = json(&with(&["secrets", "list"], &[])).await?;
    assert_eq!(
        listed["items"][0],
        json!({ "name": "API_KEY", "type": "secret_text" }),
        "{listed}"
    );
    succeeds(&with(&["secrets", "remove"], &["API_KEY"])).await?;
    let gone = fails(1, &with(&["secrets", "remove"], &["API_KEY"])).await?;
    assert_contains(
        &gone.errors,
        &["SECRET_UNKNOWN", "dotdo secrets list settings --env staging"],
    );
    fails(2, &with(&["secrets", "set"], &["not/a/name"])).await?;

    succeeds(&with(
        &["health", "set"],
        &["--path", "/health", "--expect", "200"],
    ))
    .await?;
    let check = json(&with(&["health", "show"], &[])).await?;
    assert_eq!(check["health_check"]["path"], "/health", "{check}");
    let checked = succeeds(&with(&["health", "check"], &[])).await?;
    assert_contains(&checked, &["https://staging.settings.do/health answers with 200"]);
    let failed = fails(1, &with(&["health", "check"], &["--expect", "204"])).await?;
    assert_contains(
        &failed.errors,
        &["204 was expected", "dotdo rollback settings --env staging"],
    );
    succeeds(&with(&["health", "remove"], &[])).await?;
    assert_eq!(
        json(&with(&["health", "show"], &[])).await?["health_check"],
        Value::Null
    );
    Ok(())
}
