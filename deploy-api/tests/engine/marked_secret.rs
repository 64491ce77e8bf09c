use deploy_api::v1;
use futures_executor::block_on;
use serde_json::json;

use super::cloud::{Fault, REFUSED};
use super::platform::Platform;
use super::rollbacks::roll_back;
use super::wrangler_upload::Upload;

const MARK: &str = "marked-secret-7c1d";

#[test]
fn secrets_are_not_in_records_bundles_responses_or_errors() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let mut answers = Vec::new();
    let upload = Upload::of("1")
        .bound(json!({"type": "secret_text", "name": "TOKEN", "text": MARK}))
        .bound(json!({"type": "secret_key", "name": "KEY", "format": "raw", "key_base64": MARK}));
    answers.push(platform.deploy(&token, &upload));
    answers.push(platform.deploy(&token, &upload.retried()));
    platform.cloud.fail_next(Fault::Answer(400, REFUSED));
    answers.push(platform.deploy(
        &token,
        &Upload::of("2").bound(upload.metadata["bindings"][0].clone()),
    ));
    answers.push(platform.call(
        &token,
        "PUT A/workers/scripts/agents/secrets",
        &json!({"name": "OTHER", "text": MARK, "type": "secret_text"}).to_string(),
    ));
    // The secret at a wrong position, in malformed input, and as a name.
    answers.push(platform.deploy(&token, &Upload::of("3").with("bindings", json!({ "x": MARK }))));
    answers.push(platform.deploy(&token, &Upload::of("3").with("main_module", json!([MARK]))));
    answers.push(platform.call(
        &token,
        "PUT A/workers/scripts/agents/secrets",
        &format!("{{\"text\": \"{MARK}\""),
    ));
    answers.push(platform.call(
        &token,
        &format!("DELETE A/workers/scripts/agents/secrets/{MARK}"),
        "",
    ));
    answers.push(block_on(
        platform.ask(
            &token,
            "PUT S",
            &[("content-type", "multipart/form-data; boundary=b")],
            format!(
                "--b\r\nContent-Disposition: form-data; name=\"metadata\"\r\n\r\n{{\"a\": \"{MARK}\r\n--b--"
            )
            .into(),
        ),
    ));
    let target = v1::target("dotdo-staging", "agents").unwrap();
    let body = format!("{{\"text\": \"{MARK}\", \"x\": 1}}");
    let problem = platform
        .v1(async |gateway, credential| {
            v1::secrets::put(gateway, credential, &target, "A", body.as_bytes()).await
        })
        .unwrap_err();
    let listed = platform
        .v1(async |gateway, credential| v1::secrets::list(gateway, credential, &target).await)
        .unwrap();
    roll_back(&platform, "").unwrap_err();
    let scripts = platform.cloud.scripts.borrow();
    assert_eq!(
        scripts.get("dotdo-staging/agents").unwrap().secrets["TOKEN"],
        MARK,
        "it did reach the upstream"
    );
    let mut searched = format!("{answers:?} {problem:?} {listed} {:?}", platform.record());
    for table in [
        "audit",
        "deployments",
        "workers",
        "tokens",
        "answers",
        "leases",
        "health_checks",
        "deployment_objects",
        "assets",
        "durable_object_migrations",
        "locks",
    ] {
        searched.push_str(&platform.sql.dump(table));
    }
    for key in platform.cloud.stored.keys() {
        let stored = platform.cloud.stored.object(&key).unwrap();
        searched.push_str(&key);
        searched.push_str(&String::from_utf8_lossy(&stored));
    }
    assert!(
        searched.contains("TOKEN"),
        "the search is over what names the secret"
    );
    assert!(!searched.contains(MARK));
    assert!(!searched.contains(&token), "nor is the token anywhere");
}
