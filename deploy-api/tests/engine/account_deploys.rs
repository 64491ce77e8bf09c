//! Deploys of the Workers of the platform in the account, and of the deploy API itself.

use deploy_api::code::Code;
use deploy_api::deployments::DeploymentId;
use deploy_api::upstream::UpstreamFailure;
use dotdo_names::{DEPLOY_API_WORKER, DISPATCH_WORKER, LOGS_WORKER};
use futures_executor::block_on;
use futures_util::future::join;
use serde_json::{Value, json};

use super::cloud::Fault;
use super::platform::{Answered, Platform};
use super::support::callers::{grant, run};
use super::wrangler_upload::Upload;

const ACTIONS: [&str; 9] = [
    "read", "logs", "deploy", "delete", "secrets", "rollback", "promote", "lock", "admin",
];

/// What may be done to a Worker of the platform; the rest is refused.
const ALLOWED: [&str; 4] = ["read", "deploy", "rollback", "lock"];

/// A platform of which a workflow and carol may deploy the Workers, and the token of the workflow.
fn platform() -> (Platform, String) {
    let run = run();
    let platform = Platform::with_rules(&[
        json!({
            "name": "platform", "namespaces": ["account"], "workers": ["*"], "actions": ALLOWED,
            "who": { "github": {
                "repository_id": run.repository_id, "repository_owner_id": run.repository_owner_id,
                "environment": "production",
            } },
        }),
        json!({
            "name": "carol", "who": { "token": "carol" }, "workers": ["*"], "actions": ACTIONS,
            "namespaces": ["dotdo-production", "dotdo-staging", "dotdo-development", "account"],
        }),
    ]);
    for worker in [DISPATCH_WORKER, LOGS_WORKER, DEPLOY_API_WORKER] {
        let mut scripts = platform.cloud.scripts.borrow_mut();
        scripts.upload_outside(&format!("account/{worker}"), "from setup");
        scripts.set_secret_outside(&format!("account/{worker}"), "UPLOAD_KEY");
    }
    let token = platform.run_token(&[grant(&["account"], &["*"], &ALLOWED)]);
    (platform, token)
}

/// A token of carol that is limited to the account.
fn carol(platform: &Platform) -> String {
    platform.token(
        "carol",
        &[grant(
            &["account"],
            &["*"],
            &["read", "deploy", "secrets", "delete", "rollback"],
        )],
    )
}

fn upload(platform: &Platform, token: &str, call: &str, upload: &Upload) -> Answered {
    let (content_type, body) = upload.form();
    block_on(platform.ask(token, call, &[("Content-Type", &content_type)], body))
}

fn version_of(platform: &Platform, token: &str, worker: &str, of: &Upload) -> Answered {
    let call = format!("POST A/workers/scripts/{worker}/versions?bindings_inherit=strict");
    upload(platform, token, &call, of)
}

fn deploy_version(platform: &Platform, token: &str, worker: &str, version: &Value) -> Answered {
    let body =
        json!({ "strategy": "percentage", "versions": [{ "version_id": version, "percentage": 100 }] });
    let call = format!("POST A/workers/scripts/{worker}/deployments");
    platform.call(token, &call, &body.to_string())
}

/// Deploys as wrangler does for a Worker that exists, and returns the id.
fn deploy(platform: &Platform, token: &str, worker: &str, code: &str) -> DeploymentId {
    let version = version_of(platform, token, worker, &Upload::of(code));
    assert_eq!(version.status, 200, "{}", version.text());
    let id = &version.body["result"]["id"];
    let deployed = deploy_version(platform, token, worker, id);
    assert_eq!(deployed.status, 200, "{}", deployed.text());
    assert_eq!(deployed.body["result"]["id"], *id);
    DeploymentId::parse(id.as_str().unwrap()).unwrap()
}

fn code_of(platform: &Platform, worker: &str) -> String {
    let scripts = platform.cloud.scripts.borrow();
    let script = scripts.get(&format!("account/{worker}")).unwrap();
    String::from_utf8(script.modules["index.js"].clone()).unwrap()
}

fn deployments(platform: &Platform, token: &str, worker: &str) -> Vec<Value> {
    let call = format!("GET /v1/namespaces/account/workers/{worker}/deployments");
    let listed = platform.call(token, &call, "");
    assert_eq!(listed.status, 200, "{}", listed.text());
    listed.body["items"].as_array().unwrap().clone()
}

fn rollback(platform: &Platform, token: &str, worker: &str) -> Answered {
    platform.call(
        token,
        &format!("POST /v1/namespaces/account/workers/{worker}/rollback"),
        "",
    )
}

#[test]
fn a_version_is_deployed_with_the_records_of_any_deploy_and_rolled_back() {
    let (platform, token) = platform();
    let version = version_of(&platform, &token, DISPATCH_WORKER, &Upload::of("one"));
    assert_eq!(version.status, 200, "{}", version.text());
    assert_eq!(
        platform.cloud.changes(),
        [""; 0],
        "nothing was sent to Cloudflare"
    );
    assert_eq!(code_of(&platform, DISPATCH_WORKER), "from setup");
    let id = &version.body["result"]["id"];
    let deployed = deploy_version(&platform, &token, DISPATCH_WORKER, id);
    assert_eq!(deployed.status, 200, "{}", deployed.text());
    assert_eq!(code_of(&platform, DISPATCH_WORKER), "one");
    let second = deploy(&platform, &token, DISPATCH_WORKER, "two");

    let records = deployments(&platform, &token, DISPATCH_WORKER);
    assert_eq!(records[0]["id"], second.as_str());
    assert_eq!(records[1]["id"], *id);
    assert_eq!(records[0]["namespace"], "account");
    assert_eq!(records[0]["urls"], json!([]));
    assert_eq!(records[0]["identity"]["repository"], run().repository);
    assert_eq!(records[0]["bundle"]["modules"][0]["size"], 3);
    {
        let scripts = platform.cloud.scripts.borrow();
        let script = scripts.get(&format!("account/{DISPATCH_WORKER}")).unwrap();
        assert_eq!(script.secrets["UPLOAD_KEY"], "outside", "the secrets stay");
        assert_eq!(script.tags, [second.tag()]);
        assert_eq!(script.metadata["tail_consumers"], Value::Null);
    }

    for entry in platform.record() {
        let identity = &entry["identity"];
        assert_eq!(
            (&entry["namespace"], &entry["worker"], &entry["authority"]["rule"]),
            (&json!("account"), &json!(DISPATCH_WORKER), &json!("platform")),
            "{entry}"
        );
        assert_eq!(
            (&identity["repository"], &identity["sha"], &identity["run_id"]),
            (&json!(run().repository), &json!(run().sha), &json!(run().run_id)),
            "{entry}"
        );
    }

    let back = rollback(&platform, &token, DISPATCH_WORKER);
    assert_eq!(back.status, 201, "{}", back.text());
    assert_eq!(code_of(&platform, DISPATCH_WORKER), "one");
    assert_eq!(platform.history()[4..], ["rollback intent", "rollback succeeded"]);
    platform.assert_reconciled();
    let status = platform.call(&carol(&platform), "GET /v1/status", "");
    let account = status.body["namespaces"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(
        (&account["environment"], &account["workers"]),
        (&json!("account"), &json!(1))
    );
    assert_eq!(account["drifts"], json!([]), "what setup deployed is not a drift");
}

#[test]
fn a_worker_that_does_not_exist_yet_is_uploaded_directly() {
    let (platform, token) = platform();
    let call = format!("PUT A/workers/scripts/{LOGS_WORKER}?excludeScript=true&bindings_inherit=strict");
    let deployed = upload(&platform, &token, &call, &Upload::of("logs"));
    assert_eq!(deployed.status, 200, "{}", deployed.text());
    assert_eq!(code_of(&platform, LOGS_WORKER), "logs");
    assert_eq!(platform.history(), ["deploy intent", "deploy succeeded"]);
}

#[test]
fn wrangler_reads_what_it_needs_and_secrets_are_never_readable() {
    let (platform, token) = platform();
    deploy(&platform, &token, DEPLOY_API_WORKER, "one");
    let get = |path: &str| {
        let answer = platform.call(&token, &format!("GET A/workers/{path}"), "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert!(!answer.text().contains("outside"), "{path}: {}", answer.text());
        answer.body["result"].clone()
    };
    let service = get(&format!("services/{DEPLOY_API_WORKER}"));
    let script = &service["default_environment"]["script"];
    assert_eq!(script["tags"], json!([]), "{script}");
    assert_eq!(script["last_deployed_from"], "wrangler");
    let settings = get(&format!("scripts/{DEPLOY_API_WORKER}/settings"));
    assert!(!settings.to_string().contains("DEPLOYMENT"), "{settings}");
    let secrets = get(&format!("scripts/{DEPLOY_API_WORKER}/secrets"));
    assert_eq!(secrets[0]["name"], "UPLOAD_KEY");
    assert_eq!(
        get(&format!("workers/{DEPLOY_API_WORKER}"))["subdomain"]["enabled"],
        true
    );
    let namespaces = get("dispatch/namespaces?page=1");
    assert_eq!(
        namespaces.as_array().unwrap().len(),
        3,
        "the dispatch Worker is bound to all"
    );
    let address = format!("POST A/workers/scripts/{DEPLOY_API_WORKER}/subdomain");
    let same = platform.call(
        &token,
        &address,
        r#"{"enabled": true, "previews_enabled": false}"#,
    );
    assert_eq!(same.status, 200, "{}", same.text());
    let settings = format!("PATCH A/workers/scripts/{DEPLOY_API_WORKER}/script-settings");
    let same = platform.call(
        &token,
        &settings,
        r#"{"tags": [], "observability": {"enabled": true}}"#,
    );
    assert_eq!(same.status, 200, "{}", same.text());
}

#[test]
fn everything_else_in_the_account_is_refused() {
    let (platform, run) = platform();
    deploy(&platform, &run, DISPATCH_WORKER, "one");
    let before = platform.cloud.changes().len();
    let carol = carol(&platform);
    let refused = |token: &str, call: &str, body: &str, code: Code| {
        let answer = platform.call(token, call, body);
        assert!(answer.status >= 400, "{call}: {}", answer.text());
        let found = if call.contains(" /v1/") {
            answer.body["code"] == code.name()
        } else {
            answer.codes().contains(&u64::from(code.number()))
        };
        assert!(found, "{call}: {}", answer.text());
        answer.text()
    };
    let namespace = refused(
        &run,
        "POST A/workers/dispatch/namespaces",
        r#"{"name": "dotdo-production"}"#,
        Code::NamespaceChangeRefused,
    );
    assert!(namespace.contains("cannot be created"), "{namespace}");
    for (call, body) in [
        ("PUT A/workers/scripts/agents?excludeScript=true", ""),
        ("PUT A/workers/scripts/dispatcher/content", ""),
        (
            "POST A/workers/scripts/dispatcher/subdomain",
            r#"{"enabled": false}"#,
        ),
        (
            "PUT A/workers/scripts/dispatcher/routes",
            r#"[{"pattern": "agents.do/*"}]"#,
        ),
        (
            "PUT A/workers/scripts/dispatcher/schedules",
            r#"[{"cron": "* * * * *"}]"#,
        ),
        (
            "PUT A/workers/scripts/dispatcher/domains/records",
            r#"{"origins": [{"hostname": "a.do"}]}"#,
        ),
        (
            "PATCH A/workers/scripts/dispatcher/script-settings",
            r#"{"tags": ["a"]}"#,
        ),
        ("PUT A/workers/subdomain", r#"{"subdomain": "a"}"#),
        ("DELETE /v1/namespaces/account/workers/dispatcher", ""),
        (
            "PUT /v1/namespaces/account/workers/deploy-api/secrets/UPLOAD_KEY",
            r#"{"text": "marker"}"#,
        ),
        (
            "DELETE /v1/namespaces/account/workers/deploy-api/secrets/UPLOAD_KEY",
            "",
        ),
        (
            "PUT A/workers/scripts/deploy-api/secrets",
            r#"{"name": "UPLOAD_KEY", "text": "marker", "type": "secret_text"}"#,
        ),
    ] {
        refused(&carol, call, body, Code::AccountWorkerRefused);
    }
    refused(
        &carol,
        "DELETE A/workers/services/dispatcher?force=true",
        "",
        Code::DeleteRefused,
    );
    refused(
        &carol,
        "DELETE A/workers/scripts/dispatcher",
        "",
        Code::DeleteRefused,
    );
    for (call, code) in [
        ("GET A/workers/scripts/dispatcher/versions", Code::VersionsRefused),
        (
            "GET A/workers/scripts/dispatcher/versions/1",
            Code::VersionsRefused,
        ),
        (
            "PATCH A/workers/scripts/dispatcher/versions/1",
            Code::VersionsRefused,
        ),
        (
            "DELETE A/workers/scripts/dispatcher/deployments/1",
            Code::VersionsRefused,
        ),
        ("POST A/workers/scripts/agents/versions", Code::VersionsRefused),
        ("POST A/workers/scripts/agents/deployments", Code::VersionsRefused),
        ("POST A/workers/scripts/dispatcher/tails", Code::TailRefused),
        ("PUT A/workers/scripts/Dispatcher", Code::AccountWorkerRefused),
        ("PUT A/workers/scripts/agents/routes", Code::AccountWorkerRefused),
        (
            "PUT A/workers/scripts/agents/schedules",
            Code::AccountWorkerRefused,
        ),
        (
            "POST A/workers/scripts/agents/subdomain",
            Code::AccountWorkerRefused,
        ),
        (
            "DELETE A/workers/scripts/dispatcher/subdomain",
            Code::AccountWorkerRefused,
        ),
        (
            "POST A/workers/scripts/dispatcher/domains/changeset",
            Code::AccountWorkerRefused,
        ),
        (
            "PUT A/workers/scripts/dispatcher/usage-model",
            Code::AccountWorkerRefused,
        ),
        (
            "PUT A/workers/services/dispatcher/environments/production",
            Code::AccountWorkerRefused,
        ),
        ("DELETE A/workers/subdomain", Code::AccountWorkerRefused),
        ("GET A/workers/scripts", Code::AccountWorkerRefused),
        (
            "PUT A/workers/dispatch/namespaces/dotdo-production",
            Code::NamespaceChangeRefused,
        ),
        (
            "DELETE A/workers/dispatch/namespaces/dotdo-production",
            Code::NamespaceChangeRefused,
        ),
        ("POST A/r2/buckets", Code::ResourceChangeRefused),
        ("POST A/queues", Code::ResourceChangeRefused),
        ("POST A/workers/domains", Code::CallUnknown),
        ("PUT A/workers/domains", Code::CallUnknown),
        ("PUT A/workers/workers/dispatcher", Code::CallUnknown),
        ("DELETE A/workers/workers/dispatcher", Code::CallUnknown),
        ("POST A/workers/workers/dispatcher/versions", Code::CallUnknown),
        ("GET A/workers/durable_objects/namespaces", Code::CallUnknown),
        ("POST A/containers/applications", Code::CallUnknown),
        ("POST A/tokens", Code::CallUnknown),
        ("GET /client/v4/zones", Code::CallUnknown),
        ("POST /client/v4/zones/z/workers/routes", Code::CallUnknown),
    ] {
        for token in [&run, &carol] {
            refused(token, call, "{}", code);
        }
    }
    refused(
        &carol,
        "GET A/workers/scripts/agents/deployments",
        "",
        Code::VersionsRefused,
    );
    refused(
        &carol,
        "GET /v1/namespaces/account/workers/agents",
        "",
        Code::WorkerUnknown,
    );
    refused(&carol, "GET /v1/namespaces/account", "", Code::NamespaceUnknown);
    let secret = json!({ "type": "secret_text", "name": "UPLOAD_KEY", "text": "marker" });
    let with_secret = version_of(
        &platform,
        &carol,
        DEPLOY_API_WORKER,
        &Upload::of("two").bound(secret),
    );
    assert_eq!(
        with_secret.codes(),
        [u64::from(Code::AccountWorkerRefused.number())]
    );
    assert!(!with_secret.text().contains("marker"));
    // The upload of a Worker with a migration, a rollback, and static assets.
    let secret = json!({ "type": "secret_text", "name": "UPLOAD_KEY", "text": "marker" });
    for form in [
        Upload::of("two").bound(secret),
        Upload::of("two").with("assets", json!({ "jwt": "marker" })),
        Upload::of("two").with("keep_assets", json!(true)),
    ] {
        let direct = upload(
            &platform,
            &carol,
            "PUT A/workers/scripts/deploy-api?excludeScript=true",
            &form,
        );
        assert_eq!(
            direct.codes(),
            [u64::from(Code::AccountWorkerRefused.number())],
            "{}",
            direct.text()
        );
    }
    refused(
        &carol,
        "POST /v1/namespaces/account/workers/dispatcher/rollback",
        r#"{"secrets": {"UPLOAD_KEY": "marker"}}"#,
        Code::AccountWorkerRefused,
    );
    assert!(
        platform
            .record()
            .iter()
            .all(|entry| !entry.to_string().contains("marker")),
        "no record has the secret"
    );
    assert_eq!(
        platform.cloud.changes().len(),
        before,
        "nothing was sent to Cloudflare"
    );
    platform.assert_reconciled();

    // A token for a namespace may do nothing in the account.
    let alice = platform.alice("dotdo-production");
    let denied = version_of(&platform, &alice, DISPATCH_WORKER, &Upload::of("two"));
    assert_eq!(
        denied.codes(),
        [u64::from(Code::PermissionDenied.number())],
        "{}",
        denied.text()
    );
}

#[test]
fn unchanged_hosts_and_crons_are_accepted() {
    let (platform, token) = platform();
    {
        let mut scripts = platform.cloud.scripts.borrow_mut();
        let zone = "0".repeat(32);
        let zones = json!([{ "id": zone, "name": "agents.do" }]);
        scripts
            .resources
            .insert("client/v4/zones".to_owned(), (200, zones.clone()));
        scripts.resources.insert("zones".to_owned(), (200, zones));
        let routes = json!([
            { "id": "r1", "pattern": "agents.do/*", "script": DISPATCH_WORKER },
            { "id": "r2", "pattern": "other.do/*", "script": "other" },
        ]);
        scripts
            .resources
            .insert(format!("zones/{zone}/workers/routes"), (200, routes));
    }
    let call = format!("PUT A/workers/scripts/{DISPATCH_WORKER}/routes");
    let same = platform.call(
        &token,
        &call,
        r#"[{"pattern": "agents.do/*", "zone_name": "agents.do"}]"#,
    );
    assert_eq!(same.status, 200, "{}", same.text());
    let other = platform.call(&token, &call, r#"[{"pattern": "new.do/*"}]"#);
    assert!(
        other.text().contains("At Cloudflare: agents.do/*."),
        "{}",
        other.text()
    );
    assert_eq!(platform.cloud.changes(), [""; 0]);
}

#[test]
fn only_the_uploader_deploys_a_version_and_only_as_a_whole() {
    let (platform, token) = platform();
    let version = version_of(&platform, &token, LOGS_WORKER, &Upload::of("one"));
    let id = &version.body["result"]["id"];
    let unknown = [u64::from(Code::DeploymentUnknown.number())];
    assert_eq!(
        deploy_version(&platform, &carol(&platform), LOGS_WORKER, id).codes(),
        unknown
    );
    assert_eq!(
        deploy_version(&platform, &token, DISPATCH_WORKER, id).codes(),
        unknown
    );
    assert_eq!(
        deploy_version(&platform, &token, LOGS_WORKER, &json!("../x")).codes(),
        unknown
    );
    let half = json!({ "versions": [{ "version_id": id, "percentage": 50 }, { "version_id": "x", "percentage": 50 }] });
    let call = format!("POST A/workers/scripts/{LOGS_WORKER}/deployments");
    let refused = platform.call(&token, &call, &half.to_string());
    assert_eq!(refused.codes(), [u64::from(Code::AccountWorkerRefused.number())]);
    assert_eq!(platform.history(), [""; 0]);
    assert_eq!(deploy_version(&platform, &token, LOGS_WORKER, id).status, 200);
    assert_eq!(
        deploy_version(&platform, &token, LOGS_WORKER, id).status,
        200,
        "a retry"
    );
    assert_eq!(
        platform.history(),
        ["deploy intent", "deploy succeeded", "deploy replayed"]
    );
}

#[test]
fn a_deploy_of_the_deploy_api_is_concluded_by_the_new_version() {
    let (platform, token) = platform();
    let id = deploy(&platform, &token, DEPLOY_API_WORKER, "new");
    assert_eq!(code_of(&platform, DEPLOY_API_WORKER), "new");
    {
        let scripts = platform.cloud.scripts.borrow();
        let script = scripts.get(&format!("account/{DEPLOY_API_WORKER}")).unwrap();
        let own = json!({ "type": "plain_text", "name": "DEPLOYMENT", "text": id.as_str() });
        assert_eq!(script.bindings, [own]);
        assert_eq!(script.secrets["UPLOAD_KEY"], "outside");
    }
    assert_eq!(platform.history(), ["deploy intent"]);
    assert_eq!(platform.reconcile(), 1, "the version before does not conclude it");
    let other = version_of(&platform, &token, DEPLOY_API_WORKER, &Upload::of("newer"));
    let blocked = deploy_version(&platform, &token, DEPLOY_API_WORKER, &other.body["result"]["id"]);
    assert_eq!(blocked.codes(), [u64::from(Code::DeploymentUnsettled.number())]);

    platform.restart_ledger();
    platform.own_deployment.replace(Some(id.clone()));
    platform.cloud.pass(30);
    assert_eq!(platform.reconcile(), 0);
    let records = deployments(&platform, &token, DEPLOY_API_WORKER);
    assert_eq!(
        (&records[0]["id"], &records[0]["state"]),
        (&json!(id), &json!("succeeded"))
    );
    platform.assert_reconciled();

    let back = rollback(&platform, &token, DEPLOY_API_WORKER);
    assert_eq!(
        back.body["code"],
        Code::RollbackImpossible.name(),
        "setup's version is not stored"
    );
    let second = deploy(&platform, &token, DEPLOY_API_WORKER, "newer");
    platform.own_deployment.replace(Some(second));
    platform.cloud.pass(30);
    assert_eq!(platform.reconcile(), 0);
    let back = rollback(&platform, &token, DEPLOY_API_WORKER);
    assert_eq!(back.body["state"], "pending", "{}", back.text());
    assert_eq!(code_of(&platform, DEPLOY_API_WORKER), "new");
    let id = DeploymentId::parse(back.body["id"].as_str().unwrap()).unwrap();
    platform.own_deployment.replace(Some(id));
    platform.cloud.pass(30);
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.history().last().unwrap(), "rollback succeeded");
}

#[test]
fn a_deploy_of_the_deploy_api_that_does_not_run_fails() {
    let (platform, token) = platform();
    let id = deploy(&platform, &token, DEPLOY_API_WORKER, "good");
    platform.own_deployment.replace(Some(id));
    platform.cloud.pass(30);
    assert_eq!(platform.reconcile(), 0);
    // The new version does not start, and an operator deploys the version before without the deploy API.
    deploy(&platform, &token, DEPLOY_API_WORKER, "broken");
    assert_eq!(platform.reconcile(), 1);
    platform
        .cloud
        .scripts
        .borrow_mut()
        .upload_outside(&format!("account/{DEPLOY_API_WORKER}"), "good");
    platform.cloud.pass(100);
    assert_eq!(platform.reconcile(), 0);
    let records = deployments(&platform, &token, DEPLOY_API_WORKER);
    assert_eq!(records[0]["state"], "failed", "{}", records[0]);
    assert_eq!(records[1]["state"], "succeeded");
    assert_eq!(platform.history().last().unwrap(), "deploy failed");
    platform.assert_reconciled();

    // What the operator deployed is a drift, until a deploy through the API ends it.
    let read = || {
        let call = format!("GET /v1/namespaces/account/workers/{DEPLOY_API_WORKER}");
        platform.call(&token, &call, "").body
    };
    assert_eq!(read()["drift"]["kind"], "code", "{}", read());
    let repaired = deploy(&platform, &token, DEPLOY_API_WORKER, "repaired");
    platform.own_deployment.replace(Some(repaired.clone()));
    platform.cloud.pass(30);
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(read()["drift"], Value::Null, "{}", read());
    assert_eq!(read()["deployment"], repaired.as_str(), "{}", read());
    // Neither the failed deployment nor what was deployed past the API is what a rollback restores.
    let back = rollback(&platform, &token, DEPLOY_API_WORKER);
    assert_eq!(back.body["state"], "pending", "{}", back.text());
    assert_eq!(code_of(&platform, DEPLOY_API_WORKER), "good");
}

#[test]
fn an_operator_who_deploys_past_the_broken_deploy_api_sets_no_deployment() {
    let (platform, token) = platform();
    deploy(&platform, &token, DEPLOY_API_WORKER, "broken");
    platform
        .cloud
        .scripts
        .borrow_mut()
        .upload_outside(&format!("account/{DEPLOY_API_WORKER}"), "from a bundle");
    platform.restart_ledger();
    platform.cloud.pass(100);
    assert_eq!(platform.reconcile(), 0);
    let records = deployments(&platform, &token, DEPLOY_API_WORKER);
    assert_eq!(records[0]["state"], "failed", "{}", records[0]);
    platform.assert_reconciled();
}

#[test]
fn two_runs_at_once_deploy_one_after_the_other() {
    let (platform, token) = platform();
    let deploys_both = |worker: &str| {
        let versions = ["one", "two"].map(|code| {
            let version = version_of(&platform, &token, worker, &Upload::of(code));
            assert_eq!(version.status, 200, "{}", version.text());
            json!({ "versions": [{ "version_id": version.body["result"]["id"], "percentage": 100 }] })
        });
        let call = format!("POST A/workers/scripts/{worker}/deployments");
        let [first, second] =
            versions.map(|body| platform.ask(&token, &call, &[], body.to_string().into_bytes()));
        block_on(join(first, second))
    };
    let (first, second) = deploys_both(LOGS_WORKER);
    assert_eq!((first.status, second.status), (200, 200));
    assert_eq!(code_of(&platform, LOGS_WORKER), "two");
    let records = deployments(&platform, &token, LOGS_WORKER);
    assert_eq!(records[0]["previous"], records[1]["id"]);
    platform.assert_reconciled();

    // The deploy API is restarted by the first. The second is refused until the new version runs, and may be repeated then.
    let (first, second) = deploys_both(DEPLOY_API_WORKER);
    assert_eq!(first.status, 200, "{}", first.text());
    assert_eq!(second.codes(), [u64::from(Code::DeploymentUnsettled.number())]);
    assert_eq!(code_of(&platform, DEPLOY_API_WORKER), "one");
}

#[test]
fn a_version_that_is_never_deployed_changes_nothing() {
    let (platform, token) = platform();
    let version = version_of(&platform, &token, DISPATCH_WORKER, &Upload::of("killed"));
    assert_eq!(version.status, 200);
    assert_eq!(platform.history(), [""; 0]);
    assert_eq!(deployments(&platform, &token, DISPATCH_WORKER), [Value::Null; 0]);
    deploy(&platform, &token, DISPATCH_WORKER, "again");
    assert_eq!(code_of(&platform, DISPATCH_WORKER), "again");
    platform.assert_reconciled();
}

#[test]
fn a_lost_answer_to_the_upload_of_the_deploy_api_stays_open_until_the_new_version_runs() {
    let (platform, token) = platform();
    let version = version_of(&platform, &token, DEPLOY_API_WORKER, &Upload::of("new"));
    let id = &version.body["result"]["id"];
    platform
        .cloud
        .fail_next(Fault::LostAfter(UpstreamFailure::Interrupted));
    let deployed = deploy_version(&platform, &token, DEPLOY_API_WORKER, id);
    assert_eq!(deployed.status, 200, "{}", deployed.text());
    assert_eq!(platform.history(), ["deploy intent"]);
    platform
        .own_deployment
        .replace(DeploymentId::parse(id.as_str().unwrap()).ok());
    platform.cloud.pass(30);
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.history(), ["deploy intent", "deploy succeeded"]);
}

#[test]
fn a_change_past_the_deploy_api_is_a_drift_after_the_first_deploy() {
    let (platform, token) = platform();
    block_on(platform.reconciling());
    let read = |worker: &str| {
        platform
            .call(
                &token,
                &format!("GET /v1/namespaces/account/workers/{worker}"),
                "",
            )
            .body
    };
    assert_eq!(read(LOGS_WORKER)["drift"], Value::Null);
    deploy(&platform, &token, LOGS_WORKER, "one");
    assert_eq!(read(LOGS_WORKER)["drift"], Value::Null);
    platform
        .cloud
        .scripts
        .borrow_mut()
        .upload_outside(&format!("account/{LOGS_WORKER}"), "two");
    assert_eq!(read(LOGS_WORKER)["drift"]["kind"], "code");
    let listed = platform.call(&token, "GET /v1/namespaces/account/workers", "");
    let names: Vec<&str> = listed.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, [DEPLOY_API_WORKER, DISPATCH_WORKER, LOGS_WORKER]);
    let back = platform.call(
        &token,
        &format!("POST /v1/namespaces/account/workers/{LOGS_WORKER}/drift"),
        r#"{"resolve": "overwrite"}"#,
    );
    assert_eq!(back.status, 200, "{}", back.text());
    assert_eq!(code_of(&platform, LOGS_WORKER), "one");
}

#[test]
fn a_lock_and_a_health_check_apply_to_the_dispatch_worker() {
    let (platform, token) = platform();
    let worker = "/v1/namespaces/account/workers";
    let check = r#"{"path": "/.well-known/dispatcher", "expect": 200}"#;
    let set = platform.call(&token, &format!("PUT {worker}/{LOGS_WORKER}/health-check"), check);
    assert_eq!(set.body["code"], Code::AccountWorkerRefused.name());
    let set = platform.call(
        &token,
        &format!("PUT {worker}/{DISPATCH_WORKER}/health-check"),
        check,
    );
    assert_eq!(set.status, 200, "{}", set.text());
    deploy(&platform, &token, DISPATCH_WORKER, "one");
    let asked = platform.cloud.dispatcher_requests.borrow().clone();
    assert!(
        asked[0].contains(&format!("{DISPATCH_WORKER}.workers.dev")),
        "{asked:?}"
    );
    platform.assert_reconciled();
    let lock = platform.call(
        &token,
        "PUT /v1/namespaces/account/lock",
        r#"{"why": "a release"}"#,
    );
    assert_eq!(lock.status, 200, "{}", lock.text());
    let version = version_of(&platform, &token, DISPATCH_WORKER, &Upload::of("two"));
    let locked = deploy_version(&platform, &token, DISPATCH_WORKER, &version.body["result"]["id"]);
    assert_eq!(locked.codes(), [u64::from(Code::WorkerLocked.number())]);
}
