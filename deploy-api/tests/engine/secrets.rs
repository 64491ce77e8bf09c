use deploy_api::code::Code;
use deploy_api::v1;
use futures_executor::block_on;
use serde_json::json;

use super::platform::Platform;
use super::support::callers::grant;
use super::wrangler_upload::Upload;

const PUT: &str = "PUT A/workers/scripts/agents/secrets";
const BODY: &str = r#"{"name": "TOKEN", "text": "x", "type": "secret_text"}"#;

#[test]
fn secrets_are_set_in_the_only_writable_namespace_of_the_token() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("1"));
    let set = platform.call(&token, PUT, BODY);
    assert_eq!(set.status, 200, "{}", set.text());
    assert_eq!(
        set.body["result"],
        json!({ "name": "TOKEN", "type": "secret_text" })
    );
    let listed = platform.call(&token, "GET A/workers/scripts/agents/secrets", "");
    assert_eq!(
        listed.body["result"],
        json!([{ "name": "TOKEN", "type": "secret_text" }])
    );
    let removed = platform.call(
        &token,
        "DELETE A/workers/scripts/agents/secrets/TOKEN?url_encoded=true",
        "",
    );
    assert_eq!(removed.status, 200);
    assert_eq!(
        platform.cloud.changes()[1..],
        [
            "PUT A/workers/dispatch/namespaces/dotdo-staging/scripts/agents/secrets",
            "DELETE A/workers/dispatch/namespaces/dotdo-staging/scripts/agents/secrets/TOKEN?url_encoded=true"
        ]
    );
    assert_eq!(
        platform.history()[2..],
        [
            "secret_put intent",
            "secret_put succeeded",
            "secret_delete intent",
            "secret_delete succeeded"
        ]
    );
    assert_eq!(
        platform.record()[2]["subject"],
        json!({ "kind": "secret", "name": "TOKEN" })
    );
    platform.assert_reconciled();
}

/// A token that allows every call of these tests in staging and in production.
fn token_for_two_namespaces(platform: &Platform) -> String {
    let actions = ["deploy", "secrets", "read"];
    platform.token(
        "alice",
        &[grant(&["dotdo-staging", "dotdo-production"], &["*"], &actions)],
    )
}

#[test]
fn a_worker_in_one_namespace_is_found_with_a_token_for_several() {
    let platform = Platform::new();
    let token = token_for_two_namespaces(&platform);
    platform.deploy(&token, &Upload::of("1"));
    platform.cloud.pass(3600);
    let set = platform.call(&token, PUT, BODY);
    assert_eq!(set.status, 200, "{}", set.text());
    let listed = platform.call(&token, "GET A/workers/scripts/agents/secrets", "");
    assert_eq!(
        listed.body["result"],
        json!([{ "name": "TOKEN", "type": "secret_text" }])
    );
    let tags = platform.call(
        &token,
        "PATCH A/workers/scripts/agents/script-settings",
        r#"{"tags": ["a"]}"#,
    );
    assert_eq!(tags.status, 200, "{}", tags.text());
}

#[test]
fn a_call_for_a_worker_in_several_namespaces_is_refused_with_the_choices() {
    let platform = Platform::new();
    let token = token_for_two_namespaces(&platform);
    let production = |platform: &Platform| {
        let (content_type, body) = Upload::of("1").form();
        let call = "PUT A/workers/dispatch/namespaces/dotdo-production/scripts/agents";
        let headers = [("content-type", content_type.as_str())];
        assert_eq!(block_on(platform.ask(&token, call, &headers, body)).status, 200);
    };
    production(&platform);
    // The last deploy is to staging. It does not decide which Worker a call refers to.
    platform.deploy(&token, &Upload::of("1"));
    let calls = platform.cloud.changes().len();
    for (call, body, command) in [
        (PUT, BODY, "curl -X PUT"),
        (
            "DELETE A/workers/scripts/agents/secrets/TOKEN",
            "",
            "curl -X DELETE",
        ),
        (
            "PATCH A/workers/scripts/agents/script-settings",
            r#"{"tags": ["a"]}"#,
            "workers/agents/tags",
        ),
    ] {
        let answer = platform.call(&token, call, body);
        assert_eq!(
            answer.codes(),
            [u64::from(Code::NamespaceAmbiguous.number())],
            "{call}"
        );
        let text = answer.text();
        assert!(
            text.contains("dotdo-staging and in dotdo-production")
                || text.contains("dotdo-production and in dotdo-staging"),
            "{text}"
        );
        assert!(
            text.contains(command) && text.contains("/v1/namespaces/dotdo-staging/workers/agents/"),
            "{text}"
        );
        assert!(!text.contains("dotdo-development"), "{text}");
    }
    // Before a deploy, wrangler accepts only a list or "no such Worker"; any other response aborts the deploy.
    let listed = platform.call(&token, "GET A/workers/scripts/agents/secrets", "");
    assert_eq!(
        (listed.status, listed.codes()),
        (404, vec![10007, u64::from(Code::NamespaceAmbiguous.number())])
    );
    assert_eq!(platform.cloud.changes().len(), calls);
    // A token for one namespace is not ambiguous.
    let staging = platform.alice("dotdo-staging");
    assert_eq!(platform.call(&staging, PUT, BODY).status, 200);
}

#[test]
fn a_worker_that_is_deployed_nowhere_is_not_guessed() {
    let platform = Platform::new();
    let token = token_for_two_namespaces(&platform);
    let answer = platform.call(&token, PUT, BODY);
    assert_eq!(answer.codes(), [u64::from(Code::WorkerUnknown.number())]);
    assert!(answer.text().contains("dotdo-staging"), "{}", answer.text());
    let listed = platform.call(&token, "GET A/workers/scripts/agents/secrets", "");
    assert_eq!((listed.status, listed.codes()), (404, vec![10007]));
    assert!(platform.cloud.changes().is_empty());
}

#[test]
fn a_secret_of_a_missing_worker_does_not_make_wrangler_create_an_account_worker() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let answer = platform.call(&token, PUT, BODY);
    assert_eq!(
        answer.codes(),
        [u64::from(Code::WorkerUnknown.number())],
        "and no 10007"
    );
    assert_eq!(platform.history(), ["secret_put intent", "secret_put failed"]);
    platform.assert_reconciled();
}

#[test]
fn setting_secrets_needs_its_own_action() {
    let platform = Platform::new();
    let token = platform.token("alice", &[grant(&["dotdo-staging"], &["*"], &["deploy", "read"])]);
    let answer = platform.call(&token, PUT, BODY);
    assert_eq!(answer.codes(), [u64::from(Code::PermissionDenied.number())]);
    assert_eq!(platform.history(), ["secret_put denied"]);
}

#[test]
fn the_calls_of_v1_do_the_same() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("1"));
    let target = v1::target("dotdo-staging", "agents").unwrap();
    let put = |name: &'static str| {
        platform.v1(async |gateway, credential| {
            v1::secrets::put(gateway, credential, &target, name, br#"{"text": "x"}"#).await
        })
    };
    put("TOKEN").unwrap();
    for bad in ["", "a b", "7a", "../x", "a-b"] {
        assert_eq!(put(bad).unwrap_err().code, Code::SecretUnknown, "{bad}");
    }
    let listed = platform
        .v1(async |gateway, credential| v1::secrets::list(gateway, credential, &target).await)
        .unwrap();
    assert_eq!(
        listed["items"],
        json!([{ "name": "TOKEN", "type": "secret_text" }])
    );
    platform
        .v1(async |gateway, credential| v1::secrets::delete(gateway, credential, &target, "TOKEN").await)
        .unwrap();
    let missing = platform
        .v1(async |gateway, credential| v1::secrets::delete(gateway, credential, &target, "TOKEN").await)
        .unwrap_err();
    assert_eq!(missing.code, Code::SecretUnknown);
}

const BULK: &str = "PATCH A/workers/scripts/agents/secrets-bulk";

#[test]
fn several_secrets_are_changed_by_one_call_and_recorded_once() {
    let platform = Platform::new();
    let token = token_for_two_namespaces(&platform);
    let upload = Upload::of("1").bound(json!({ "type": "secret_text", "name": "OLD", "text": "x" }));
    platform.deploy(&token, &upload);
    let body = json!({ "secrets": {
        "ONE": { "name": "ONE", "text": "marker-1", "type": "secret_text" },
        "TWO": { "text": "marker-2" },
        "OLD": null
    } });
    let answer = platform.call(&token, BULK, &body.to_string());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let secrets = || {
        let scripts = platform.cloud.scripts.borrow();
        scripts.get("dotdo-staging/agents").unwrap().secrets.clone()
    };
    let names: Vec<String> = secrets().into_keys().collect();
    assert_eq!(names, ["ONE", "TWO"]);
    assert_eq!(secrets()["ONE"], "marker-1");
    assert_eq!(
        platform.history()[2..],
        ["secrets_bulk intent", "secrets_bulk succeeded"]
    );
    let entry = &platform.record()[2];
    assert_eq!(
        entry["subject"],
        json!({ "kind": "secrets", "set": ["ONE", "TWO"], "removed": ["OLD"] })
    );
    assert!(!entry.to_string().contains("marker"));
    for body in [
        json!({ "secrets": {} }),
        json!({ "secrets": { "ONE": { "text": "marker", "type": "plain_text" } } }),
        json!({ "secrets": { "ONE": "marker" } }),
        json!([]),
    ] {
        let refused = platform.call(&token, BULK, &body.to_string());
        assert_eq!(refused.codes(), [u64::from(Code::BodyInvalid.number())], "{body}");
        assert!(!refused.text().contains("marker"));
    }
    let many: serde_json::Map<_, _> = (0..101)
        .map(|n| (format!("S{n}"), json!({ "text": "x" })))
        .collect();
    let refused = platform.call(&token, BULK, &json!({ "secrets": many }).to_string());
    assert_eq!(refused.codes(), [u64::from(Code::BodyInvalid.number())]);
    platform.assert_reconciled();
}

#[test]
fn the_form_of_wrangler_before_bulk_changes_is_read() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let kv = json!({ "type": "kv_namespace", "name": "KV", "namespace_id": "k1" });
    platform.deploy(&token, &Upload::of("1").bound(kv));
    let patch = |bindings: serde_json::Value| {
        let settings = json!({ "bindings": bindings });
        let form = format!(
            "--x\r\nContent-Disposition: form-data; name=\"settings\"\r\n\r\n{settings}\r\n--x--\r\n"
        );
        let headers = [("content-type", "multipart/form-data; boundary=x")];
        let call = "PATCH A/workers/scripts/agents/settings";
        block_on(platform.ask(&token, call, &headers, form.into_bytes()))
    };
    let kept = json!({ "type": "kv_namespace", "name": "KV" });
    let secret = json!({ "type": "secret_text", "name": "ONE", "text": "marker" });
    let answer = patch(json!([kept, secret]));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains("marker"));
    let refused = patch(json!([secret]));
    assert_eq!(refused.codes(), [u64::from(Code::BodyInvalid.number())]);
    let scripts = platform.cloud.scripts.borrow();
    let script = scripts.get("dotdo-staging/agents").unwrap();
    assert_eq!(script.secrets["ONE"], "marker");
    assert_eq!(script.bindings.len(), 1);
    drop(scripts);
    platform.assert_reconciled();
}
