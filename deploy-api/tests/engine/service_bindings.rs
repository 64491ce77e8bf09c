//! Service bindings between Workers of one namespace. `agents` is the Worker that is deployed.

use deploy_api::code::Code;
use serde_json::{Value, json};

use super::platform::{Answered, Platform};
use super::promotions::promote;
use super::rollbacks::roll_back;
use super::scripts::Script;
use super::wrangler_upload::Upload;

const NAMESPACES: [&str; 2] = ["dotdo-staging", "dotdo-production"];

fn deploy(platform: &Platform, upload: &Upload) -> Answered {
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, upload)
}

fn service(service: &str) -> Value {
    json!({ "type": "service", "name": "AUTH", "service": service })
}

/// The binding that the upstream gets for a Worker of the namespace.
fn sent(environment: &str, worker: &str) -> Value {
    json!({
        "type": "service", "name": "AUTH", "service": "dispatcher", "entrypoint": "NamespaceService",
        "props": { "environment": environment, "worker": worker },
    })
}

/// A platform with the Worker `auth` in these namespaces.
fn with_auth(namespaces: &[&str]) -> Platform {
    let platform = Platform::new();
    for namespace in namespaces {
        let key = format!("{namespace}/auth");
        platform
            .cloud
            .scripts
            .borrow_mut()
            .by_key
            .insert(key, Script::default());
    }
    platform
}

/// The bindings of `agents` at the upstream.
fn bindings(platform: &Platform, namespace: &str) -> Vec<Value> {
    let key = format!("{namespace}/agents");
    let scripts = platform.cloud.scripts.borrow();
    scripts
        .get(&key)
        .map(|script| script.bindings.clone())
        .unwrap_or_default()
}

#[test]
fn a_binding_to_a_worker_of_the_namespace_goes_through_the_dispatch_worker() {
    let platform = with_auth(&NAMESPACES);
    // A Worker of the namespace comes before one of the account.
    platform.cloud.scripts.borrow_mut().account = vec!["auth".to_owned()];
    let answer = deploy(&platform, &Upload::of("1").bound(service("auth")));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(bindings(&platform, "dotdo-staging"), [sent("staging", "auth")]);
    // wrangler sees the author's binding.
    let token = platform.alice("dotdo-staging");
    let settings = platform.call(&token, "GET A/workers/scripts/agents/settings", "");
    assert!(
        settings.text().contains(r#""service":"auth""#),
        "{}",
        settings.text()
    );
    assert!(
        !settings.text().contains("NamespaceService"),
        "{}",
        settings.text()
    );
    platform.assert_reconciled();
}

#[test]
fn a_binding_to_a_worker_of_the_account_is_sent_as_it_is() {
    let platform = with_auth(&["dotdo-production"]);
    platform.cloud.scripts.borrow_mut().account = vec!["auth".to_owned()];
    let mut binding = service("auth");
    binding["entrypoint"] = json!("Admin");
    binding["props"] = json!({ "a": 1 });
    let answer = deploy(&platform, &Upload::of("1").bound(binding.clone()));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(bindings(&platform, "dotdo-staging"), [binding]);
}

#[test]
fn a_target_that_does_not_exist_yet_is_one_of_the_namespace_with_a_warning() {
    // Only production has `auth`: staging never reaches it.
    let platform = with_auth(&["dotdo-production"]);
    deploy(&platform, &Upload::of("1").bound(service("auth")));
    assert_eq!(bindings(&platform, "dotdo-staging"), [sent("staging", "auth")]);
    let warning = &platform.deployments("dotdo-staging")[0]["warnings"][0];
    assert_eq!(warning["code"], "SERVICE_BINDING_UNREACHABLE", "{warning}");
    assert!(warning["message"].as_str().unwrap().contains("auth"), "{warning}");
}

#[test]
fn a_binding_to_the_worker_itself_works_under_its_name_and_under_that_of_open_next() {
    for binding in [
        service("agents"),
        json!({ "type": "service", "name": "WORKER_SELF_REFERENCE", "service": "name-in-the-configuration" }),
    ] {
        let platform = Platform::new();
        let answer = deploy(&platform, &Upload::of("1").bound(binding.clone()));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let bindings = bindings(&platform, "dotdo-staging");
        assert_eq!(bindings[0]["name"], binding["name"]);
        assert_eq!(
            bindings[0]["props"],
            json!({ "environment": "staging", "worker": "agents" })
        );
        assert_eq!(
            platform.deployments("dotdo-staging")[0]["warnings"],
            json!([]),
            "{binding}"
        );
    }
}

#[test]
fn what_a_namespace_does_not_support_is_refused_with_the_reason() {
    let platform = with_auth(&NAMESPACES);
    for (member, value, reason) in [
        ("entrypoint", json!("Admin"), "default entrypoint"),
        ("props", json!({ "a": 1 }), "without props"),
        (
            "environment",
            json!("production"),
            "environment of the other Worker",
        ),
        ("cross_account_grant", json!("x"), "cross_account_grant"),
    ] {
        let mut binding = service("auth");
        binding[member] = value;
        let answer = deploy(&platform, &Upload::of("1").bound(binding));
        assert_eq!(
            answer.codes(),
            [u64::from(Code::ServiceBindingUnreachable.number())],
            "{member}"
        );
        assert!(
            answer.text().contains("AUTH") && answer.text().contains(reason),
            "{}",
            answer.text()
        );
    }
    assert!(platform.cloud.changes().is_empty());
}

#[test]
fn a_binding_to_a_worker_of_the_platform_is_refused() {
    let platform = with_auth(&NAMESPACES);
    for binding in [
        sent("production", "auth"),
        sent("staging", "auth"),
        service("dispatcher"),
        service("deploy-api"),
        service("logs"),
        json!({ "type": "durable_object_namespace", "name": "AUTH", "class_name": "Ledger", "script_name": "deploy-api" }),
    ] {
        let answer = deploy(&platform, &Upload::of("1").bound(binding.clone()));
        assert_eq!(
            answer.codes(),
            [u64::from(Code::PlatformWorkerBound.number())],
            "{binding}"
        );
        assert_eq!(
            platform.record().last().unwrap()["reason"]["bindings"],
            json!(["AUTH"])
        );
    }
    assert!(platform.cloud.changes().is_empty());
}

#[test]
fn a_promotion_binds_to_the_worker_of_the_target_and_a_rollback_to_that_of_its_namespace() {
    let platform = with_auth(&NAMESPACES);
    deploy(&platform, &Upload::of("1").bound(service("auth")));
    // The binding belongs to the code: no value of the request is necessary.
    promote(&platform, "dotdo-staging", &json!({ "to": "dotdo-production" })).unwrap();
    assert_eq!(
        bindings(&platform, "dotdo-production"),
        [sent("production", "auth")]
    );
    let digest = |namespace: &str| platform.deployments(namespace)[0]["bundle"]["digest"].clone();
    assert_eq!(digest("dotdo-staging"), digest("dotdo-production"));
    deploy(&platform, &Upload::of("2").bound(service("billing")));
    roll_back(&platform, "").unwrap();
    assert_eq!(bindings(&platform, "dotdo-staging"), [sent("staging", "auth")]);
    platform.assert_reconciled();
}

#[test]
fn a_promotion_shows_the_authors_binding_and_takes_the_one_of_the_source() {
    let platform = with_auth(&NAMESPACES);
    let token = platform.alice("dotdo-production");
    platform.deploy_to(
        &token,
        "dotdo-production",
        &Upload::of("0").bound(service("billing")),
    );
    deploy(&platform, &Upload::of("1").bound(service("auth")));
    let answer = promote(&platform, "dotdo-staging", &json!({ "to": "dotdo-production" })).unwrap();
    let change = &answer["difference"]["bindings"][0];
    assert_eq!(
        (&change["from"], &change["source"], &change["target"]),
        (
            &json!("source"),
            &json!({ "service": "auth" }),
            &json!({ "service": "billing" })
        ),
        "{answer}"
    );
    assert_eq!(
        bindings(&platform, "dotdo-production"),
        [sent("production", "auth")]
    );
}

#[test]
fn a_binding_that_only_the_account_of_the_target_has_is_a_resource() {
    let platform = with_auth(&["dotdo-staging"]);
    platform.cloud.scripts.borrow_mut().account = vec!["auth".to_owned()];
    deploy(&platform, &Upload::of("1").bound(service("auth")));
    let problem = promote(&platform, "dotdo-staging", &json!({ "to": "dotdo-production" })).unwrap_err();
    assert_eq!(problem.code, Code::PromotionIncomplete);
    let body = json!({ "to": "dotdo-production", "bindings": { "AUTH": { "service": "dispatcher" } } });
    let problem = promote(&platform, "dotdo-staging", &body).unwrap_err();
    assert_eq!(problem.code, Code::PlatformWorkerBound);
    let body = json!({ "to": "dotdo-production", "bindings": { "AUTH": { "service": "auth" } } });
    promote(&platform, "dotdo-staging", &body).unwrap();
    assert_eq!(bindings(&platform, "dotdo-production"), [service("auth")]);
}

#[test]
fn an_inherited_binding_is_stored_as_its_author_wrote_it() {
    let platform = with_auth(&NAMESPACES);
    deploy(&platform, &Upload::of("1").bound(service("auth")));
    let inherited = json!({ "type": "inherit", "name": "AUTH" });
    let answer = deploy(&platform, &Upload::of("2").bound(inherited));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(bindings(&platform, "dotdo-staging"), [sent("staging", "auth")]);
    promote(&platform, "dotdo-staging", &json!({ "to": "dotdo-production" })).unwrap();
    assert_eq!(
        bindings(&platform, "dotdo-production"),
        [sent("production", "auth")]
    );
}
