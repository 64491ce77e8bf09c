//! Previews of earlier deployments: the code of any namespace with the bindings of development.

use deploy_api::code::Code;
use deploy_api::problem::Problem;
use deploy_api::v1;
use serde_json::{Value, json};

use super::platform::{MessageFault, Platform};
use super::support::callers::person;
use super::wrangler_upload::Upload;

const DAY: i64 = 24 * 60 * 60;

fn kv(id: &str) -> Value {
    json!({ "type": "kv_namespace", "name": "KV", "namespace_id": id })
}

fn mode(text: &str) -> Value {
    json!({ "type": "plain_text", "name": "MODE", "text": text })
}

/// Deploys agents with variables and resources of the environment, and returns the id of the deployment.
fn deploy(platform: &Platform, environment: &str, code: &str) -> String {
    let upload = Upload::of(code)
        .bound(mode(environment))
        .bound(kv(&format!("kv-{environment}")));
    deploy_upload(platform, environment, &upload)
}

fn deploy_upload(platform: &Platform, environment: &str, upload: &Upload) -> String {
    let namespace = format!("dotdo-{environment}");
    let answer = platform.deploy_to(&platform.alice(&namespace), &namespace, upload);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let newest = &platform.deployments(&namespace)[0];
    newest["id"].as_str().unwrap().to_owned()
}

fn preview_by(platform: &Platform, caller: &str, environment: &str, body: &Value) -> Result<Value, Problem> {
    let target = v1::target(&format!("dotdo-{environment}"), "agents").unwrap();
    let body = body.to_string();
    platform.v1_by(&person(caller), async |gateway, credential| {
        v1::preview::preview(gateway, credential, &target, &[], body.as_bytes()).await
    })
}

fn preview(platform: &Platform, environment: &str, body: &Value) -> Result<Value, Problem> {
    preview_by(platform, "alice", environment, body)
}

/// The name of the preview of a deployment.
fn name(id: &str) -> String {
    format!("agents-at-{}", id.rsplit_once('-').unwrap().1)
}

/// The code and the bindings of a preview; `None` if it is not deployed.
fn served(platform: &Platform, id: &str) -> Option<(String, Vec<Value>)> {
    let scripts = platform.cloud.scripts.borrow();
    let script = scripts.get(&format!("dotdo-development/{}", name(id)))?;
    let code = String::from_utf8(script.modules["index.js"].clone()).unwrap();
    Some((code, script.bindings.clone()))
}

#[test]
fn an_earlier_deployment_of_production_is_served_with_the_bindings_of_development() {
    let platform = Platform::new();
    let id = deploy(&platform, "production", "one");
    deploy(&platform, "production", "two");
    deploy(&platform, "development", "three");
    let made = preview(&platform, "production", &json!({ "deployment": id })).unwrap();
    assert_eq!(made["verb"], "preview", "{made}");
    assert_eq!(made["worker"], name(&id));
    assert_eq!(made["namespace"], "dotdo-development");
    assert_eq!(made["source"], id);
    let urls = ["https://{}--dev.apis.do", "https://dev.{}.do"].map(|url| url.replace("{}", &name(&id)));
    assert_eq!(made["urls"], json!(urls));
    assert_eq!(made["preview"]["of"], "agents");
    assert_eq!(made["preview"]["pull_request"], Value::Null);
    let served_now = served(&platform, &id).unwrap();
    assert_eq!(
        served_now,
        ("one".to_owned(), vec![mode("development"), kv("kv-development")])
    );

    // The same call deploys the same preview again, which lives longer then.
    platform.cloud.pass(10 * DAY);
    let again = preview(&platform, "production", &json!({ "deployment": id })).unwrap();
    assert_eq!(again["worker"], made["worker"]);
    assert_ne!(again["preview"]["expires"], made["preview"]["expires"]);
    assert_eq!(served(&platform, &id).unwrap(), served_now);
    platform.cloud.pass(13 * DAY);
    platform.reconcile();
    assert!(served(&platform, &id).is_some());
    platform.cloud.pass(DAY);
    platform.reconcile();
    assert_eq!(served(&platform, &id), None);
    assert_eq!(platform.serves("dotdo-production").unwrap(), "two");
    assert_eq!(platform.serves("dotdo-development").unwrap(), "three");
    platform.assert_reconciled();
}

#[test]
fn a_deployment_of_development_keeps_its_own_bindings() {
    let platform = Platform::new();
    let id = deploy_upload(
        &platform,
        "development",
        &Upload::of("one").bound(mode("earlier")).bound(kv("kv-earlier")),
    );
    deploy(&platform, "development", "two");
    preview(&platform, "development", &json!({ "deployment": id })).unwrap();
    let (code, bindings) = served(&platform, &id).unwrap();
    assert_eq!(
        (code.as_str(), bindings),
        ("one", vec![mode("earlier"), kv("kv-earlier")])
    );
}

#[test]
fn bindings_that_development_does_not_have_are_named_and_given() {
    let platform = Platform::new();
    let id = deploy(&platform, "staging", "one");
    let problem = preview(&platform, "staging", &json!({ "deployment": id })).unwrap_err();
    assert_eq!(problem.code, Code::PromotionIncomplete);
    assert!(
        problem
            .detail
            .starts_with("dotdo-development/agents lacks the variables MODE and the bindings KV"),
        "{}",
        problem.detail
    );
    assert_eq!(served(&platform, &id), None);
    let body = json!({ "deployment": id, "values": { "MODE": "given" }, "resources": "copy" });
    preview(&platform, "staging", &body).unwrap();
    assert_eq!(
        served(&platform, &id).unwrap().1,
        [mode("given"), kv("kv-staging")]
    );
}

#[test]
fn a_preview_has_no_secrets_but_those_of_the_request() {
    let platform = Platform::new();
    let secret = json!({ "type": "secret_text", "name": "TOKEN", "text": "of the environment" });
    let upload = Upload::of("one").bound(secret);
    let id = deploy_upload(&platform, "production", &upload);
    deploy_upload(&platform, "development", &upload);
    let problem = preview(&platform, "production", &json!({ "deployment": id })).unwrap_err();
    assert_eq!(problem.code, Code::SecretsMissing);
    assert!(problem.fix.contains("Add them to the preview"), "{}", problem.fix);
    let body = json!({ "deployment": id, "secrets": { "TOKEN": "marker" } });
    let answer = preview(&platform, "production", &body).unwrap();
    assert!(!answer.to_string().contains("marker"));
    {
        let scripts = platform.cloud.scripts.borrow();
        let script = scripts.get(&format!("dotdo-development/{}", name(&id))).unwrap();
        assert_eq!(script.secrets["TOKEN"], "marker");
    }
    // The preview has it now.
    preview(&platform, "production", &json!({ "deployment": id })).unwrap();
}

#[test]
fn a_preview_whose_outcome_is_not_recorded_is_settled_by_the_reconciler() {
    let platform = Platform::new();
    let id = deploy(&platform, "production", "one");
    deploy(&platform, "development", "two");
    platform.sent.borrow_mut().clear();
    preview(&platform, "production", &json!({ "deployment": id })).unwrap();
    let sent = platform.sent.borrow().clone();
    let finish = sent.iter().rposition(|name| *name == "finish").unwrap();
    let mut faults = vec![MessageFault::None; finish];
    faults.extend([MessageFault::Lost; 3]);
    *platform.messages.borrow_mut() = faults.into();
    let problem = preview(&platform, "production", &json!({ "deployment": id })).unwrap_err();
    assert_eq!(problem.code, Code::RecordUnavailable);
    platform.cloud.pass(100);
    assert_eq!(platform.reconcile(), 0);
    platform.assert_reconciled();
    let history = platform.history();
    assert_eq!(
        history[history.len() - 2..],
        ["preview intent", "preview succeeded"]
    );
    assert_eq!(served(&platform, &id).unwrap().0, "one");
}

#[test]
fn the_classes_of_durable_objects_are_migrated_from_the_beginning() {
    let platform = Platform::new();
    let class = json!({ "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room" });
    let upload = Upload::of("one").bound(class).with(
        "migrations",
        json!({ "new_tag": "v1", "steps": [{ "new_sqlite_classes": ["Room"] }] }),
    );
    let id = deploy_upload(&platform, "production", &upload);
    preview(&platform, "production", &json!({ "deployment": id })).unwrap();
    let scripts = platform.cloud.scripts.borrow();
    let script = scripts.get(&format!("dotdo-development/{}", name(&id))).unwrap();
    assert_eq!(script.migration_tag.as_deref(), Some("v1"));
}

#[test]
fn a_preview_needs_read_of_both_workers_and_deploy_of_the_preview() {
    let rule = |name: &str, namespaces: &[&str], workers: &[&str], actions: &[&str]| {
        json!({
            "name": name, "who": { "token": "bob" }, "namespaces": namespaces, "workers": workers, "actions": actions
        })
    };
    let production = rule("production", &["dotdo-production"], &["agents"], &["read"]);
    let development = rule("development", &["dotdo-development"], &["agents"], &["read"]);
    let previews = rule("previews", &["dotdo-development"], &["agents-at-*"], &["deploy"]);
    let secrets = rule("secrets", &["dotdo-development"], &["agents-at-*"], &["secrets"]);
    let all = [production, development, previews, secrets];
    for missing in 0..=all.len() {
        let mut rules = all.to_vec();
        if missing < all.len() {
            rules.remove(missing);
        }
        let platform = Platform::with_rules(&rules);
        let id = deploy(&platform, "production", "one");
        deploy(&platform, "development", "two");
        let body = json!({ "deployment": id, "secrets": { "TOKEN": "x" } });
        let answer = preview_by(&platform, "bob", "production", &body);
        if missing == all.len() {
            assert_eq!(answer.unwrap()["identity"]["subject"], "bob");
            let entry = platform.record().pop().unwrap();
            assert_eq!(
                (&entry["verb"], &entry["outcome"]),
                (&json!("preview"), &json!("succeeded"))
            );
            assert_eq!(entry["authority"]["rule"], "previews");
        } else {
            assert_eq!(
                answer.unwrap_err().code,
                Code::PermissionDenied,
                "without {missing}"
            );
            assert_eq!(served(&platform, &id), None);
        }
    }
}

#[test]
fn an_invalid_preview_is_rejected() {
    let platform = Platform::new();
    let id = deploy(&platform, "production", "one");
    let unknown = "0199f000-0000-7000-8000-9f1c2d3e4b5a";
    for (environment, body, code) in [
        ("production", json!({}), Code::BodyInvalid),
        ("production", json!({ "deployment": "latest" }), Code::BodyInvalid),
        (
            "production",
            json!({ "deployment": id, "to": "dotdo-staging" }),
            Code::BodyInvalid,
        ),
        (
            "production",
            json!({ "deployment": unknown }),
            Code::DeploymentUnknown,
        ),
        ("staging", json!({ "deployment": id }), Code::DeploymentUnknown),
    ] {
        let problem = preview(&platform, environment, &body).unwrap_err();
        assert_eq!(problem.code, code, "{body}");
    }
}
