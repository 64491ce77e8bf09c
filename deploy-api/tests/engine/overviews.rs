//! The calls that show the platform before a change: the status, one Worker everywhere, the caller, the dispatch Worker, and dry runs.

use deploy_api::dispatcher::DispatcherAnswer;
use futures_executor::block_on;
use serde_json::{Value, json};

use super::cloud::Fault;
use super::platform::{Answered, Platform};
use super::support::callers::grant;
use super::support::time::at;
use super::wrangler_upload::Upload;

const ACTIONS: [&str; 7] = [
    "read", "deploy", "delete", "secrets", "rollback", "promote", "lock",
];

/// A call of `/v1`, which the OpenAPI document must describe.
fn call(platform: &Platform, token: &str, call: &str, body: &str) -> Answered {
    block_on(platform.ask(token, call, &[], body.as_bytes().to_vec()))
}

fn get(platform: &Platform, token: &str, path: &str) -> Value {
    let answer = call(platform, token, &format!("GET {path}"), "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.body
}

/// A token of alice for every namespace.
fn everywhere(platform: &Platform) -> String {
    let every = ["dotdo-production", "dotdo-staging", "dotdo-development"];
    platform.token("alice", &[grant(&every, &["*"], &ACTIONS)])
}

#[test]
fn the_status_counts_deployments_and_lists_locks_and_open_intents() {
    let platform = Platform::new();
    let token = everywhere(&platform);
    assert_eq!(
        platform
            .deploy_to(&token, "dotdo-staging", &Upload::of("1"))
            .status,
        200
    );
    assert_eq!(
        platform
            .deploy_to(&token, "dotdo-staging", &Upload::of("2"))
            .status,
        200
    );
    let lock = json!({ "why": "audit week", "until": at(600).to_string() }).to_string();
    for path in [
        "/v1/namespaces/dotdo-staging/workers/agents/lock",
        "/v1/namespaces/dotdo-production/lock",
    ] {
        assert_eq!(call(&platform, &token, &format!("PUT {path}"), &lock).status, 200);
    }
    let status = get(&platform, &token, "/v1/status");
    let [production, staging, development] = status["namespaces"].as_array().unwrap().as_slice() else {
        panic!("{status}");
    };
    assert_eq!(production["locks"][0]["why"], "audit week");
    assert_eq!(production["locks"][0].get("worker"), None);
    assert_eq!(staging["locks"][0]["worker"], "agents");
    assert_eq!(staging["workers"], 1);
    assert_eq!(
        staging["last_day"],
        json!({ "succeeded": 2, "failed": 0, "rolled_back": 0, "pending": 0 })
    );
    assert_eq!(development["workers"], 0);
    assert_eq!(staging["open_intents"], json!([]));
    // Locks end, and a day later nothing is recent.
    platform.cloud.pass(25 * 60 * 60);
    let later = get(&platform, &token, "/v1/status");
    assert_eq!(later["namespaces"][1]["locks"], json!([]));
    assert_eq!(later["namespaces"][1]["last_day"]["succeeded"], 0);
}

#[test]
fn the_status_has_open_intents_and_drifts() {
    let platform = Platform::new();
    let token = everywhere(&platform);
    platform.deploy_to(&token, "dotdo-staging", &Upload::of("1"));
    platform.cloud.pass(60);
    platform
        .cloud
        .scripts
        .borrow_mut()
        .by_key
        .remove("dotdo-staging/agents");
    get(&platform, &token, "/v1/namespaces/dotdo-staging/workers");
    let staging = &get(&platform, &token, "/v1/status")["namespaces"][1];
    assert_eq!(staging["drifts"][0]["worker"], "agents", "{staging}");
    assert_eq!(staging["drifts"][0]["drift"]["kind"], "deleted");

    platform.cloud.fail_next(Fault::Down);
    let lost = platform.deploy_to(&token, "dotdo-production", &Upload::of("2"));
    assert_ne!(lost.status, 200);
    let production = &get(&platform, &token, "/v1/status")["namespaces"][0];
    assert_eq!(production["open_intents"][0]["worker"], "agents", "{production}");
    assert_eq!(production["open_intents"][0]["verb"], "deploy");
    assert_eq!(production["open_intents"][0]["state"], "unknown");
}

#[test]
fn the_status_has_the_deployments_that_failed_their_health_check() {
    let platform = Platform::new();
    let token = everywhere(&platform);
    let check = "/v1/namespaces/dotdo-staging/workers/agents/health-check";
    let body = json!({ "path": "/health", "expect": 200 }).to_string();
    assert_eq!(
        call(&platform, &token, &format!("PUT {check}"), &body).status,
        200
    );
    platform.cloud.dispatcher_answers.borrow_mut().clear();
    platform
        .cloud
        .dispatcher_answers
        .borrow_mut()
        .push_back(DispatcherAnswer {
            status: 500,
            error: None,
            content: None,
        });
    // There is no deployment before it, so it stays current.
    platform.deploy_to(&token, "dotdo-staging", &Upload::of("1"));
    let staging = &get(&platform, &token, "/v1/status")["namespaces"][1];
    assert_eq!(staging["unhealthy"][0]["worker"], "agents", "{staging}");
    assert_eq!(staging["unhealthy"][0]["health"]["result"], "failed");
}

#[test]
fn the_status_omits_what_the_caller_may_not_read() {
    let platform = Platform::new();
    let token = everywhere(&platform);
    platform.deploy_to(&token, "dotdo-staging", &Upload::of("1"));
    let lock = json!({ "why": "w" }).to_string();
    call(
        &platform,
        &token,
        "PUT /v1/namespaces/dotdo-staging/workers/agents/lock",
        &lock,
    );
    let other = platform.token("alice", &[grant(&["dotdo-staging"], &["other"], &["read"])]);
    let status = get(&platform, &other, "/v1/status");
    assert_eq!(status["namespaces"].as_array().unwrap().len(), 1, "{status}");
    let staging = &status["namespaces"][0];
    assert_eq!((&staging["workers"], &staging["locks"]), (&json!(0), &json!([])));
    assert_eq!(staging["last_day"]["succeeded"], 0);
    let nothing = platform.token("bob", &[grant(&["dotdo-staging"], &["*"], &["read"])]);
    let denied = call(&platform, &nothing, "GET /v1/status", "");
    assert_eq!(denied.body["code"], "PERMISSION_DENIED");
}

#[test]
fn one_worker_is_shown_in_each_environment_that_the_caller_may_read() {
    let platform = Platform::new();
    let token = everywhere(&platform);
    platform.deploy_to(&token, "dotdo-staging", &Upload::of("1"));
    let found = get(&platform, &token, "/v1/workers/agents");
    let environments = found["environments"].as_array().unwrap();
    let deployed: Vec<bool> = environments
        .iter()
        .map(|found| !found["worker"].is_null())
        .collect();
    assert_eq!(deployed, [false, true, false], "{found}");
    assert_eq!(
        environments[1]["worker"]["urls"],
        json!(["https://staging.agents.do"])
    );
    let staging = platform.alice("dotdo-staging");
    let found = get(&platform, &staging, "/v1/workers/agents");
    assert_eq!(found["environments"].as_array().unwrap().len(), 1, "{found}");
    let nothing = platform.token("bob", &[grant(&["dotdo-staging"], &["*"], &["read"])]);
    let denied = call(&platform, &nothing, "GET /v1/workers/agents", "");
    assert_eq!(denied.body["code"], "PERMISSION_DENIED");
    let invalid = call(&platform, &token, "GET /v1/workers/Not_a_name", "");
    assert_eq!(invalid.body["code"], "WORKER_UNKNOWN");
}

#[test]
fn a_caller_learns_the_rules_and_the_limits_of_the_token() {
    let platform = Platform::new();
    let token = platform.token("alice", &[grant(&["dotdo-staging"], &["agents"], &["read"])]);
    let caller = get(&platform, &token, "/v1/whoami");
    assert_eq!(
        caller["identity"],
        json!({ "kind": "api_token", "subject": "alice" })
    );
    assert_eq!(caller["rules"][0]["rule"], "alice");
    assert_eq!(caller["rules"][0]["grant"]["workers"], json!(["*"]));
    assert_eq!(caller["token"]["grants"][0]["workers"], json!(["agents"]));
    assert_eq!(caller["policy_version"], 1);
    let bob = platform.token("bob", &[grant(&["dotdo-staging"], &["*"], &["read"])]);
    assert_eq!(get(&platform, &bob, "/v1/whoami")["rules"], json!([]));
    assert_eq!(call(&platform, "dotdo_api_0", "GET /v1/whoami", "").status, 401);
}

#[test]
fn a_run_that_is_barred_from_production_learns_of_no_rule_there() {
    let github = json!({ "repository_id": "1001", "repository_owner_id": "2002", "ref": "refs/heads/main", "environment": "production" });
    let rule = json!({
        "name": "agents", "who": { "github": github }, "namespaces": ["dotdo-production", "dotdo-staging"],
        "workers": ["agents"], "actions": ["read", "deploy"],
    });
    let platform = Platform::with_rules(&[rule]);
    let grants = [grant(
        &["dotdo-production", "dotdo-staging"],
        &["agents"],
        &["read"],
    )];
    let caller = get(&platform, &platform.run_token(&grants), "/v1/whoami");
    assert_eq!(
        caller["rules"][0]["grant"]["namespaces"],
        json!(["dotdo-production", "dotdo-staging"])
    );
    let mut run = super::support::callers::run();
    run.event_name = "pull_request_target".to_owned();
    let policy = deploy_api::policy::Policy::load(
        &json!({ "version": 1, "rules": [{
            "name": "agents", "who": { "github": github }, "namespaces": ["dotdo-production", "dotdo-staging"],
            "workers": ["agents"], "actions": ["read", "deploy"],
        }] })
        .to_string(),
    )
    .unwrap();
    let permissions = policy.permissions(&deploy_api::identity::Identity::GithubRun(Box::new(run)));
    assert_eq!(
        permissions[0].grant.namespaces(),
        [dotdo_names::Environment::Staging.into()]
    );
}

#[test]
fn the_dispatch_worker_is_asked_for_its_bindings() {
    let platform = Platform::new();
    let token = everywhere(&platform);
    platform.cloud.dispatcher_answers.borrow_mut().clear();
    let lost = get(&platform, &token, "/v1/dispatcher");
    assert_eq!(lost["reached"], false);
    assert_eq!(lost["error"], "there was no response in time");
    let document = json!({
        "version": "0.1.0",
        "environments": { "production": { "binding": "DISPATCHER_PRODUCTION", "present": true } },
    });
    let answer = |status: u16, text: String| DispatcherAnswer {
        status,
        error: None,
        content: Some(text),
    };
    let answers = &platform.cloud.dispatcher_answers;
    answers.borrow_mut().push_back(answer(200, document.to_string()));
    let found = get(&platform, &token, "/v1/dispatcher");
    let present: Vec<&Value> = found["bindings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|binding| &binding["present"])
        .collect();
    assert_eq!(present, [&json!(true), &json!(false), &json!(false)], "{found}");
    let requested = platform.cloud.dispatcher_requests.borrow().last().cloned();
    assert_eq!(
        requested.as_deref(),
        Some("dispatcher.workers.dev/.well-known/dispatcher")
    );
    *answers.borrow_mut() = [answer(404, "{}".to_owned())].into();
    let refused = get(&platform, &token, "/v1/dispatcher");
    assert_eq!(refused["error"], "it answered with the status 404");
}

#[test]
fn a_dry_run_of_a_rollback_changes_nothing_and_names_the_deployments() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("one"));
    platform.deploy(&token, &Upload::of("two"));
    let changes = platform.cloud.changes().len();
    let path = "POST /v1/namespaces/dotdo-staging/workers/agents/rollback?dry_run=true";
    let preview = call(&platform, &token, path, "").body;
    let deployments = platform.deployments("dotdo-staging");
    assert_eq!(preview["dry_run"], true);
    assert_eq!(preview["current"]["id"], deployments[0]["id"], "{preview}");
    assert_eq!(preview["source"]["id"], deployments[1]["id"]);
    assert_eq!(preview["problem"], Value::Null);
    let lock = json!({ "why": "audit week" }).to_string();
    call(
        &platform,
        &token,
        "PUT /v1/namespaces/dotdo-staging/workers/agents/lock",
        &lock,
    );
    assert_eq!(
        call(&platform, &token, path, "").body["problem"]["code"],
        "WORKER_LOCKED"
    );
    assert_eq!(
        platform.cloud.changes().len(),
        changes,
        "nothing reached the upstream"
    );
    assert_eq!(platform.open(), 0);
}

#[test]
fn a_dry_run_of_a_deletion_names_what_would_be_lost() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let upload = Upload::of("one")
        .bound(json!({ "type": "secret_text", "name": "KEY", "text": "marker" }))
        .bound(json!({ "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room" }));
    assert_eq!(platform.deploy(&token, &upload).status, 200);
    let changes = platform.cloud.changes().len();
    let path = "DELETE /v1/namespaces/dotdo-staging/workers/agents?dry_run=true";
    let preview = call(&platform, &token, path, "");
    assert_eq!(preview.status, 200, "{}", preview.text());
    assert_eq!(preview.body["secrets"], json!(["KEY"]));
    assert_eq!(preview.body["object_classes"], json!(["Room"]));
    assert_eq!(preview.body["worker"]["name"], "agents");
    assert!(!preview.text().contains("marker"));
    assert_eq!(
        platform.cloud.changes().len(),
        changes,
        "nothing reached the upstream"
    );
    assert!(platform.serves("dotdo-staging").is_some());
    let reader = platform.token("alice", &[grant(&["dotdo-staging"], &["*"], &["read"])]);
    assert_eq!(
        call(&platform, &reader, path, "").body["code"],
        "PERMISSION_DENIED"
    );
    assert_eq!(
        call(
            &platform,
            &token,
            "DELETE /v1/namespaces/dotdo-staging/workers/other?dry_run=true",
            ""
        )
        .body["code"],
        "WORKER_UNKNOWN"
    );
}
