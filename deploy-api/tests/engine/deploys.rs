use deploy_api::code::Code;
use futures_executor::block_on;
use futures_util::future::join;
use serde_json::json;

use super::platform::Platform;
use super::wrangler_upload::Upload;

#[test]
fn a_deploy_records_an_intent_before_the_upload_and_an_outcome_after_it() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let answer = platform.deploy(&token, &Upload::of("export default 1"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let id = answer.body["result"]["deployment_id"].as_str().unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "export default 1");
    assert_eq!(platform.history(), ["deploy intent", "deploy succeeded"]);
    let record = platform.record();
    let (intent, outcome) = (&record[0], &record[1]);
    assert_eq!(outcome["intent"], intent["sequence"]);
    assert_eq!(outcome["deployment"], intent["deployment"]);
    assert_eq!(outcome["upstream"]["cf_ray"], "ray-up");
    assert_eq!(outcome["upstream"]["milliseconds"], 10);
    assert_eq!(intent["bundle"]["modules"][0]["name"], "index.js");
    assert_eq!(intent["bundle"]["modules"][0]["size"], 16);
    let deployments = platform.deployments("dotdo-staging");
    assert_eq!(deployments.len(), 1);
    assert_eq!(deployments[0]["state"], "succeeded");
    assert_eq!(deployments[0]["serving"], true);
    assert_eq!(
        deployments[0]["id"], id,
        "wrangler prints the id that the API goes by"
    );
    platform.assert_reconciled();
}

#[test]
fn the_message_and_the_tag_of_a_deploy_are_recorded_and_stay_with_the_bundle() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let annotations = json!({ "workers/message": "fix the login", "workers/tag": "v1.2" });
    platform.deploy(&token, &Upload::of("1").with("annotations", annotations));
    let expected = json!({ "message": "fix the login", "tag": "v1.2" });
    assert_eq!(platform.record()[0]["annotations"], expected);
    platform.deploy(&token, &Upload::of("2"));
    assert_eq!(platform.record()[2]["annotations"], json!(null));
    let rolled_back = platform.call(
        &token,
        "POST /v1/namespaces/dotdo-staging/workers/agents/rollback",
        "",
    );
    assert_eq!(rolled_back.status, 201, "{}", rolled_back.text());
    assert_eq!(rolled_back.body["annotations"], expected);
    let deployments = platform.deployments("dotdo-staging");
    let annotations: Vec<_> = deployments
        .iter()
        .map(|deployment| &deployment["annotations"])
        .collect();
    assert_eq!(annotations, [&expected, &json!({}), &expected]);
    assert_eq!(deployments[0]["urls"], json!(["https://staging.agents.do"]));
}

#[test]
fn the_script_has_the_deployment_tag_and_keeps_the_user_tags() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("1"));
    let tagged = platform.call(
        &token,
        "PATCH A/workers/scripts/agents/script-settings",
        r#"{"tags": ["team:a"]}"#,
    );
    assert_eq!(tagged.status, 200, "{}", tagged.text());
    let answer = platform.deploy(&token, &Upload::of("2"));
    let id = answer.body["result"]["deployment_id"].as_str().unwrap();
    let id = id.replace('-', "");
    let scripts = platform.cloud.scripts.borrow();
    let tags = &scripts.get("dotdo-staging/agents").unwrap().tags;
    assert_eq!(tags, &["team:a".to_owned(), format!("dotdo-deployment-{id}")]);
}

#[test]
fn a_retry_after_a_lost_response_returns_the_same_deployment() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let upload = Upload::of("1").bound(json!({"type": "secret_text", "name": "T", "text": "x"}));
    let first = platform.deploy(&token, &upload);
    let again = platform.deploy(&token, &upload.retried());
    assert_eq!(first.body, again.body);
    assert_eq!(platform.cloud.scripts.borrow().uploads, 1);
    assert_eq!(platform.deployments("dotdo-staging").len(), 1);
    assert_eq!(
        platform.history(),
        ["deploy intent", "deploy succeeded", "deploy replayed"]
    );
}

#[test]
fn a_different_or_later_upload_is_a_new_deployment() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let other = platform.alice("dotdo-staging");
    let secret =
        |text: &str| Upload::of("1").bound(json!({"type": "secret_text", "name": "T", "text": text}));
    platform.deploy(&token, &secret("x"));
    // Another secret, another token, the first upload again, and the same upload an hour later.
    platform.deploy(&token, &secret("y"));
    platform.deploy(&other, &secret("y"));
    platform.deploy(&token, &secret("x"));
    platform.cloud.pass(3600);
    platform.deploy(&token, &secret("x"));
    assert_eq!(platform.cloud.scripts.borrow().uploads, 5);
    // A secret was set in between. The repeated deploy must set it back.
    platform.deploy(&token, &secret("z"));
    platform.call(
        &token,
        "PUT A/workers/scripts/agents/secrets",
        r#"{"name": "T", "text": "w", "type": "secret_text"}"#,
    );
    platform.deploy(&token, &secret("z"));
    assert_eq!(platform.cloud.scripts.borrow().uploads, 7);
    platform.assert_reconciled();
}

#[test]
fn two_concurrent_deploys_are_ordered_and_recorded() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let (one, two) = (Upload::of("1"), Upload::of("2"));
    let (a, b) = block_on(join(
        platform.deploying(&token, "dotdo-staging", &one),
        platform.deploying(&token, "dotdo-staging", &two),
    ));
    assert_eq!((a.status, b.status), (200, 200));
    assert_eq!(
        platform.history(),
        [
            "deploy intent",
            "deploy succeeded",
            "deploy intent",
            "deploy succeeded"
        ],
        "the second begins when the first is done"
    );
    let deployments = platform.deployments("dotdo-staging");
    assert_eq!(deployments[0]["previous"], deployments[1]["id"]);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "2");
    assert_eq!(deployments[0]["serving"], true);
    assert_eq!(deployments[1]["serving"], false);
}

#[test]
fn two_concurrent_identical_uploads_are_one_deployment() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let upload = Upload::of("1");
    let (a, b) = block_on(join(
        platform.deploying(&token, "dotdo-staging", &upload),
        platform.deploying(&token, "dotdo-staging", &upload),
    ));
    assert_eq!(a.body, b.body);
    assert_eq!(platform.cloud.scripts.borrow().uploads, 1);
}

#[test]
fn upstream_requests_are_built_without_client_headers() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let (content_type, body) = Upload::of("1").form();
    block_on(platform.ask(
        &token,
        "PUT S?excludeScript=true",
        &[
            ("content-type", &content_type),
            ("cookie", "c=1"),
            ("x-custom", "1"),
        ],
        body,
    ));
    let seen = platform.cloud.seen.borrow();
    let put = seen.iter().find(|seen| seen.line.starts_with("PUT")).unwrap();
    assert_eq!(
        put.line,
        "PUT A/workers/dispatch/namespaces/dotdo-staging/scripts/agents?excludeScript=true"
    );
    assert_eq!(put.bearer, "account");
    assert_ne!(put.content_type.as_deref(), Some(content_type.as_str()));
    assert!(!String::from_utf8_lossy(&put.body).contains("formdata-undici"));
}

#[test]
fn a_denied_deploy_calls_no_service_and_is_explained() {
    let platform = Platform::new();
    let token = platform.token("mallory", &[]);
    let answer = platform.deploy(&token, &Upload::of("1"));
    assert_eq!(answer.codes(), [u64::from(Code::PermissionDenied.number())]);
    assert!(
        answer
            .text()
            .contains("mallory may not deploy agents in dotdo-staging"),
        "{}",
        answer.text()
    );
    assert!(answer.body["errors"][0]["documentation_url"].is_string());
    assert_eq!(platform.history(), ["deploy denied"]);
    assert!(platform.cloud.seen.borrow().is_empty());
}

#[test]
fn every_member_of_the_metadata_reaches_the_upstream() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let upload = Upload::of("1")
        .with("observability", json!({"enabled": true}))
        .with("limits", json!({"cpu_ms": 50}))
        .with("not_invented_yet", json!([1]));
    assert_eq!(platform.deploy(&token, &upload).status, 200);
    let scripts = platform.cloud.scripts.borrow();
    let metadata = &scripts.get("dotdo-staging/agents").unwrap().metadata;
    for (name, value) in upload.metadata.as_object().unwrap() {
        assert_eq!(&metadata[name], value, "{name}");
    }
}

#[test]
fn deployments_within_one_millisecond_keep_their_order() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let time = platform.cloud.now.get();
    for version in ["1", "2", "3"] {
        platform.cloud.now.set(time);
        platform.cloud.decrease_random();
        platform.deploy(&token, &Upload::of(version));
    }
    let deployments = platform.deployments("dotdo-staging");
    assert_eq!(deployments[0]["serving"], true);
    assert_eq!(deployments[0]["previous"], deployments[1]["id"]);
    assert_eq!(deployments[1]["previous"], deployments[2]["id"]);
}

#[test]
fn a_retry_after_a_change_outside_of_the_api_is_deployed_again() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let upload = Upload::of("one");
    platform.deploy(&token, &upload);
    assert_eq!(platform.deploy(&token, &upload.retried()).status, 200);
    assert_eq!(platform.history().last().unwrap(), "deploy replayed");
    platform
        .cloud
        .scripts
        .borrow_mut()
        .by_key
        .remove("dotdo-staging/agents");
    platform.cloud.down.set(true);
    let answer = platform.deploy(&token, &upload.retried());
    assert_eq!(answer.status, 502, "{}", answer.text());
    platform.cloud.down.set(false);
    assert_eq!(platform.deploy(&token, &upload.retried()).status, 200);
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
    assert_eq!(platform.history().last().unwrap(), "deploy succeeded");
    platform.assert_reconciled();
}
