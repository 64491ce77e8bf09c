//! Callers who may read some Workers: they see the audit entries and the deployments of these Workers, and nothing of others.

use anyhow::{Context, Result};
use dotdo_names::Environment::{Development, Production};
use end_to_end::Script;
use reqwest::Method;
use serde_json::{Value, json};

use crate::platforms::platform;

/// A token of a new subject that may do `actions` to Workers of the development namespace.
pub async fn reader(subject: &str, workers: &Value, actions: &Value) -> Result<String> {
    let api = platform().deploy_api();
    let grant = json!({ "namespaces": ["dotdo-development"], "workers": workers, "actions": actions });
    let mut rule = grant.clone();
    rule["name"] = json!(subject);
    rule["who"] = json!({ "token": subject });
    api.allow(rule).await?;
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    api.make_token(subject, &json!([grant]), &expires.to_string())
        .await
}

/// The distinct values of a member of JSON objects, sorted.
fn distinct(items: &[Value], member: &str) -> Vec<String> {
    let mut values: Vec<_> = items
        .iter()
        .map(|item| item[member].as_str().unwrap_or("none").to_owned())
        .collect();
    values.sort();
    values.dedup();
    values
}

#[end_to_end::test]
async fn a_reader_sees_what_changed_in_a_namespace() -> Result<()> {
    let platform = platform();
    let token = reader(
        "on-call",
        &json!(["watched", "watched-*"]),
        &json!(["read", "rollback"]),
    )
    .await?;
    let before = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1);
    for worker in ["watched-too", "watched", "unwatched"] {
        platform
            .deploy(Development, worker, &Script::answering("1"))
            .await?;
    }
    platform
        .deploy(Production, "watched", &Script::answering("1"))
        .await?;
    let on_call = platform.deploy_api_as(&token);
    let since = before.to_string();

    let entries = on_call
        .audit(&format!("namespace=dotdo-development&since={since}"))
        .await?;
    assert_eq!(
        distinct(&entries, "worker"),
        ["watched", "watched-too"],
        "{entries:?}"
    );
    assert_eq!(entries.len(), 4, "an intent and an outcome each: {entries:?}");
    let entries = on_call.audit("").await?;
    assert_eq!(
        distinct(&entries, "worker"),
        ["watched", "watched-too"],
        "{entries:?}"
    );
    assert_eq!(
        distinct(&entries, "namespace"),
        ["dotdo-development"],
        "{entries:?}"
    );

    let path = "/v1/namespaces/dotdo-development/deployments";
    let deployments = on_call.all(&format!("{path}?since={since}")).await?;
    assert_eq!(
        distinct(&deployments, "worker"),
        ["watched", "watched-too"],
        "{deployments:?}"
    );
    assert!(
        deployments.iter().all(|deployment| deployment["serving"] == true),
        "{deployments:?}"
    );
    let all = platform.deploy_api().all(path).await?;
    assert!(
        distinct(&all, "worker").contains(&"unwatched".to_owned()),
        "{all:?}"
    );
    assert_eq!(
        on_call.all(&format!("{path}?until={since}")).await?,
        Vec::<Value>::new()
    );

    for path in [
        "/v1/audit?namespace=dotdo-production",
        "/v1/audit?namespace=dotdo-development&worker=unwatched",
        "/v1/namespaces/dotdo-production/deployments",
        "/v1/namespaces/dotdo-development/workers/unwatched/deployments",
    ] {
        let answer = on_call.send(Method::GET, path, None).await?;
        assert_eq!(answer.status, 403, "{path}: {}", answer.text());
    }
    Ok(())
}

#[end_to_end::test]
async fn cursors_reveal_nothing_and_belong_to_their_list() -> Result<()> {
    let platform = platform();
    let token = reader("pager", &json!(["paged-zz"]), &json!(["read", "deploy"])).await?;
    for worker in ["paged-hidden-one", "paged-hidden-two", "paged-zz"] {
        platform
            .deploy(Development, worker, &Script::answering("1"))
            .await?;
    }
    platform
        .deploy(Development, "paged-zz", &Script::answering("2"))
        .await?;
    let pager = platform.deploy_api_as(&token);
    let workers = "/v1/namespaces/dotdo-development/workers";
    let mut path = format!("{workers}?limit=1");
    let mut names = Vec::new();
    let mut cursors = Vec::new();
    loop {
        let page = pager.get(&path).await?;
        names.extend(page["items"].as_array().context("no items")?.iter().cloned());
        let Some(cursor) = page["cursor"].as_str() else {
            break;
        };
        path = format!("{workers}?limit=1&cursor={cursor}");
        cursors.push(cursor.to_owned());
    }
    assert_eq!(distinct(&names, "name"), ["paged-zz"], "{names:?}");
    assert!(cursors.len() >= 2, "{cursors:?}");
    for cursor in &cursors {
        assert_eq!(cursor.len(), cursors[0].len(), "the length reveals a name");
        let bytes = data_encoding::BASE64URL_NOPAD.decode(cursor.as_bytes())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains("paged") && !text.contains("cGFnZW"), "{text}");
    }

    let own = format!("{workers}/paged-zz/deployments");
    let deployments = pager.get(&format!("{own}?limit=1")).await?;
    let foreign = deployments["cursor"].as_str().context("no cursor")?;
    let plain = data_encoding::BASE64.encode(b"paged-hidden-one");
    for (path, cursor) in [
        (workers, foreign),
        (workers, plain.as_str()),
        (workers, ""),
        (own.as_str(), cursors[0].as_str()),
        ("/v1/audit", foreign),
        ("/v1/audit", "7"),
        ("/v1/namespaces/dotdo-development/deployments", foreign),
        ("/v1/namespaces/dotdo-staging/workers", cursors[0].as_str()),
        ("/v1/tokens", foreign),
        ("/v1/policy/versions", "2"),
        ("/v1/audit/segments", "2"),
        ("/v1/audit/verify", "1-00"),
    ] {
        let path = format!("{path}?cursor={cursor}");
        let answer = platform.deploy_api().send(Method::GET, &path, None).await?;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert_eq!(answer.json()["code"], "PARAMETER_INVALID", "{path}");
    }
    Ok(())
}

#[end_to_end::test]
async fn a_name_that_no_rule_has_is_warned_about() -> Result<()> {
    let api = platform().deploy_api();
    let expires = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let made = api
        .post(
            "/v1/tokens",
            &json!({
                "subject": "misspelt", "expires": expires.to_string(),
                "grants": [{ "namespaces": ["dotdo-development"], "workers": ["a"], "actions": ["read"] }]
            }),
        )
        .await?;
    assert!(
        made["warnings"][0]
            .as_str()
            .is_some_and(|text| text.contains("misspelt")),
        "{made}"
    );
    let document = api.get("/v1/policy").await?["document"].clone();
    let checked = api
        .call(Method::PUT, "/v1/policy?dry_run=true", Some(&document))
        .await?;
    let warnings = checked["warnings"].to_string();
    assert!(warnings.contains("misspelt"), "{warnings}");
    Ok(())
}
