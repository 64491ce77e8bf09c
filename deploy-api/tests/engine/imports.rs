//! The inventory of account Workers, and imports.

use deploy_api::code::Code;
use serde_json::{Value, json};

use super::cloud::Fault;
use super::platform::{Answered, Platform};
use super::scripts::{AccountContent, AccountScript};
use super::support::callers::grant;

const EVERY: [&str; 3] = ["dotdo-production", "dotdo-staging", "dotdo-development"];

const IMPORT: &str = "POST /v1/namespaces/dotdo-staging/workers/agents/import";

/// A platform with an administrator, and the administrator's token.
fn platform() -> (Platform, String) {
    let actions = ["read", "deploy", "secrets", "rollback", "admin"];
    let platform = Platform::with_rules(&[json!({
        "name": "carol", "who": { "token": "carol" }, "namespaces": EVERY, "workers": ["*"], "actions": actions,
    })]);
    let token = platform.token("carol", &[grant(&EVERY, &["*"], &actions)]);
    (platform, token)
}

fn form(modules: &[(&str, &str, &str)]) -> AccountContent {
    let part = |(name, kind, content): &(&str, &str, &str)| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n{content}\r\n"
        )
    };
    let parts: Vec<String> = modules.iter().map(part).collect();
    let text = parts.concat() + "--b--\r\n";
    AccountContent {
        content_type: "multipart/form-data; boundary=b".to_owned(),
        entrypoint: Some("index.js".to_owned()),
        chunks: text.into_bytes().chunks(37).map(<[u8]>::to_vec).collect(),
    }
}

fn account_worker(bindings: &Value) -> AccountScript {
    AccountScript {
        listed: json!({ "etag": "e1", "handlers": ["fetch"], "has_assets": false, "has_modules": true }),
        settings: json!({ "bindings": bindings, "compatibility_date": "2025-12-01", "tags": ["cf:environment=staging"] }),
        content: form(&[
            ("index.js", "application/javascript+module", "export default {}"),
            ("lib/data.bin", "application/octet-stream", "data"),
        ]),
        parts: [
            (
                "schedules".to_owned(),
                json!({ "schedules": [{ "cron": "* * * * *" }] }),
            ),
            ("subdomain".to_owned(), json!({ "enabled": true })),
            (
                "deployments".to_owned(),
                json!({ "deployments": [{ "versions": [{ "version_id": "v1", "percentage": 100 }] }] }),
            ),
        ]
        .into(),
    }
}

fn add(platform: &Platform, name: &str, worker: AccountScript) {
    let mut scripts = platform.cloud.scripts.borrow_mut();
    scripts.account_workers.insert(name.to_owned(), worker);
    scripts.account.push(name.to_owned());
}

fn code(answered: &Answered) -> &str {
    answered.body["code"].as_str().unwrap_or("none")
}

#[test]
fn an_account_worker_is_deployed_with_its_modules_bindings_and_secrets() {
    let (platform, token) = platform();
    let bindings = json!([
        { "type": "secret_text", "name": "TOKEN" },
        { "type": "plain_text", "name": "MODE", "text": "fast" },
        { "type": "service", "name": "AUTH", "service": "auth-staging", "environment": "production" },
        { "type": "service", "name": "OTHER", "service": "other", "environment": "production" },
    ]);
    for name in ["agents-staging", "auth-staging", "other"] {
        add(&platform, name, account_worker(&bindings));
    }
    let body = json!({
        "from": "agents-staging", "secrets": { "TOKEN": "marker" }, "services": { "auth-staging": "auth" },
    });
    let imported = platform.call(&token, IMPORT, &body.to_string());
    assert_eq!(imported.status, 201, "{}", imported.text());
    assert_eq!(imported.body["verb"], "import");
    let warnings = imported.body["warnings"].to_string();
    assert!(!warnings.contains("SERVICE_BINDING_UNREACHABLE"), "{warnings}");
    assert_eq!(
        imported.body["imported"],
        json!({ "worker": "agents-staging", "etag": "e1" })
    );
    assert!(!imported.text().contains("marker"));
    let scripts = platform.cloud.scripts.borrow();
    let script = scripts.get("dotdo-staging/agents").unwrap();
    assert_eq!(script.modules["index.js"], b"export default {}");
    assert_eq!(script.modules["lib/data.bin"], b"data");
    assert_eq!(script.secrets["TOKEN"], "marker");
    let binding = |name: &str| {
        script
            .bindings
            .iter()
            .find(|binding| binding["name"] == name)
            .unwrap()
    };
    assert_eq!(binding("MODE")["text"], "fast");
    assert_eq!(
        binding("AUTH")["props"],
        json!({ "environment": "staging", "worker": "auth" })
    );
    assert_eq!(binding("OTHER")["service"], "other");
    assert!(
        script.tags.iter().all(|tag| !tag.starts_with("cf:")),
        "{:?}",
        script.tags
    );
    drop(scripts);
    assert_eq!(platform.history(), ["import intent", "import succeeded"]);
    let record = platform.record();
    assert_eq!(
        record[0]["subject"],
        json!({ "kind": "account_worker", "name": "agents-staging", "etag": "e1" })
    );
    assert!(!json!(record).to_string().contains("marker"));
    for key in platform.cloud.stored.keys() {
        let object = platform.cloud.stored.object(&key).unwrap();
        assert!(
            !String::from_utf8_lossy(&object).contains("marker"),
            "{key} has a secret"
        );
    }
    assert_eq!(
        platform.deployments("dotdo-staging")[0]["imported"]["worker"],
        "agents-staging"
    );

    // The same import again is a replay, and another one is a new deployment.
    let again = platform.call(&token, IMPORT, &body.to_string());
    assert_eq!(again.body["id"], imported.body["id"], "{}", again.text());
    add(&platform, "agents-staging", {
        let mut changed = account_worker(&bindings);
        changed.content = form(&[(
            "index.js",
            "application/javascript+module",
            "export default { new: 1 }",
        )]);
        changed
    });
    let changed = platform.call(
        &token,
        IMPORT,
        &json!({ "from": "agents-staging", "services": { "auth-staging": "auth" } }).to_string(),
    );
    assert_eq!(changed.status, 201, "{}", changed.text());
    assert_ne!(changed.body["id"], imported.body["id"]);
    assert_eq!(
        platform.serves("dotdo-staging").unwrap(),
        "export default { new: 1 }"
    );
    platform.assert_reconciled();

    // An import can be rolled back.
    let back = platform.call(
        &token,
        "POST /v1/namespaces/dotdo-staging/workers/agents/rollback",
        "",
    );
    assert_eq!(back.status, 201, "{}", back.text());
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "export default {}");
}

#[test]
fn a_service_worker_is_imported() {
    let (platform, token) = platform();
    let mut worker = account_worker(&json!([]));
    worker.content = AccountContent {
        content_type: "application/javascript".to_owned(),
        entrypoint: None,
        chunks: vec![b"addEventListener('fetch',".to_vec(), b" () => {});".to_vec()],
    };
    add(&platform, "old", worker);
    let imported = platform.call(&token, IMPORT, "{\"from\": \"old\"}");
    assert_eq!(imported.status, 201, "{}", imported.text());
    let scripts = platform.cloud.scripts.borrow();
    let script = scripts.get("dotdo-staging/agents").unwrap();
    assert_eq!(
        script.modules["worker.js"],
        b"addEventListener('fetch', () => {});"
    );
    assert_eq!(script.metadata["body_part"], "worker.js");
}

#[test]
fn an_import_needs_admin_and_deploy_and_for_secrets_secrets() {
    let (platform, _) = platform();
    add(&platform, "source", account_worker(&json!([])));
    let alice = platform.alice("dotdo-staging");
    let denied = platform.call(&alice, IMPORT, "{\"from\": \"source\"}");
    assert_eq!(code(&denied), "PERMISSION_DENIED");
    // A token without `deploy` for the Worker.
    for (actions, body) in [
        (vec!["admin"], json!({ "from": "source" })),
        (
            vec!["admin", "deploy"],
            json!({ "from": "source", "secrets": { "A": "b" } }),
        ),
    ] {
        let token = platform.token("carol", &[grant(&EVERY, &["*"], &actions)]);
        let denied = platform.call(&token, IMPORT, &body.to_string());
        assert_eq!(code(&denied), "PERMISSION_DENIED", "{actions:?}");
    }
    for call in ["workers", "workers/source", "hosts", "queues"] {
        let denied = platform.call(&alice, &format!("GET /v1/account/{call}"), "");
        assert_eq!(code(&denied), "PERMISSION_DENIED", "{call}");
    }
    assert_eq!(platform.cloud.seen.borrow().len(), 0, "the account was read");
    assert!(platform.history().iter().all(|entry| entry.ends_with(" denied")));
}

#[test]
fn what_cannot_be_imported_is_refused_and_recorded() {
    let (platform, token) = platform();
    let with = |change: &dyn Fn(&mut AccountScript)| {
        let mut worker = account_worker(&json!([]));
        change(&mut worker);
        worker
    };
    let broken = |content: AccountContent| with(&|worker| worker.content = content.clone());
    let module = "application/javascript+module";
    for (name, worker, expected) in [
        (
            "assets",
            with(&|worker| worker.listed["has_assets"] = json!(true)),
            Code::ImportImpossible,
        ),
        (
            "objects",
            account_worker(&json!([{ "type": "durable_object_namespace", "name": "A", "class_name": "A" }])),
            Code::ImportImpossible,
        ),
        (
            "secret",
            account_worker(&json!([{ "type": "secret_text", "name": "A" }])),
            Code::SecretsMissing,
        ),
        (
            "hidden",
            with(&|worker| worker.settings = json!({})),
            Code::ImportImpossible,
        ),
        (
            "platform",
            account_worker(&json!([{ "type": "service", "name": "A", "service": "dispatcher" }])),
            Code::PlatformWorkerBound,
        ),
        (
            "html",
            broken(AccountContent {
                content_type: "text/html".to_owned(),
                ..form(&[])
            }),
            Code::ImportImpossible,
        ),
        (
            "headless",
            broken(AccountContent {
                entrypoint: None,
                ..form(&[("index.js", module, "")])
            }),
            Code::ImportImpossible,
        ),
        (
            "no-main",
            broken(form(&[("other.js", module, "")])),
            Code::ImportImpossible,
        ),
        (
            "two",
            broken(form(&[
                ("index.js", module, ""),
                ("metadata", "text/plain", "{}"),
            ])),
            Code::ImportImpossible,
        ),
        (
            "escaping",
            broken(form(&[("index.js", module, ""), ("../x", module, "")])),
            Code::ModuleNameInvalid,
        ),
        (
            "cut",
            broken({
                let mut content = form(&[("index.js", module, "0123456789")]);
                content.chunks.pop();
                content
            }),
            Code::ImportImpossible,
        ),
    ] {
        add(&platform, name, worker);
        let refused = platform.call(&token, IMPORT, &json!({ "from": name }).to_string());
        assert_eq!(code(&refused), expected.name(), "{name}: {}", refused.text());
        assert_eq!(platform.history().pop().unwrap(), "import denied", "{name}");
    }
    let unknown = platform.call(&token, IMPORT, "{\"from\": \"nobody\"}");
    assert_eq!(code(&unknown), "ACCOUNT_WORKER_UNKNOWN");
    for body in [
        "{\"from\": \"a/b\"}",
        "{\"from\": \"a\", \"services\": {\"a.b\": \"b\"}}",
        "{}",
    ] {
        assert_eq!(platform.call(&token, IMPORT, body).status, 400, "{body}");
    }
    assert_eq!(platform.serves("dotdo-staging"), None);
    platform.assert_reconciled();
}

#[test]
fn a_lost_answer_of_an_import_is_reconciled() {
    let (platform, token) = platform();
    add(&platform, "source", account_worker(&json!([])));
    platform
        .cloud
        .fail_next(Fault::LostAfter(deploy_api::upstream::UpstreamFailure::Timeout));
    let imported = platform.call(&token, IMPORT, "{\"from\": \"source\"}");
    assert_eq!(imported.status, 201, "{}", imported.text());
    platform.cloud.fail_next(Fault::Down);
    add(&platform, "source-2", {
        let mut worker = account_worker(&json!([]));
        worker.listed["etag"] = json!("e2");
        worker.content = form(&[(
            "index.js",
            "application/javascript+module",
            "export default { two: 2 }",
        )]);
        worker
    });
    let lost = platform.call(&token, IMPORT, "{\"from\": \"source-2\"}");
    assert!(lost.status >= 500, "{}", lost.text());
    platform.cloud.down.set(false);
    platform.cloud.pass(200);
    assert_eq!(platform.reconcile(), 0);
    assert_eq!(platform.deployments("dotdo-staging")[0]["state"], "failed");
    let again = platform.call(&token, IMPORT, "{\"from\": \"source-2\"}");
    assert_eq!(again.status, 201, "{}", again.text());
    platform.assert_reconciled();
}

#[test]
fn the_inventory_says_what_the_token_may_not_read() {
    let (platform, token) = platform();
    let bindings = json!([
        { "type": "secret_text", "name": "TOKEN" },
        { "type": "plain_text", "name": "MODE", "text": "marker" },
        { "type": "service", "name": "AUTH", "service": "auth", "entrypoint": "Admin", "props": { "a": 1 } },
        { "type": "durable_object_namespace", "name": "ROOM", "class_name": "Room", "namespace_id": "n1" },
    ]);
    for name in ["a", "b", "c"] {
        add(&platform, name, account_worker(&bindings));
    }
    let resources = json!([{ "id": "n1", "script": "a", "class": "Room", "use_sqlite": true }]);
    let zone = "0123456789abcdef0123456789abcdef";
    for (path, result) in [
        ("workers/durable_objects/namespaces".to_owned(), resources),
        (
            "workers/durable_objects/namespaces/n1/objects".to_owned(),
            json!([{ "id": "1", "hasStoredData": false }, { "id": "2", "hasStoredData": true }]),
        ),
        ("workers/subdomain".to_owned(), json!({ "subdomain": "team" })),
        (
            "workers/domains".to_owned(),
            json!([{ "id": "d1", "hostname": "a.example.com", "service": "a", "zone_id": zone, "zone_name": "example.com" }]),
        ),
        (
            "zones".to_owned(),
            json!([{ "id": zone, "name": "example.com" }, { "id": "../x", "name": "hostile" }]),
        ),
        (
            format!("zones/{zone}/workers/routes"),
            json!([{ "id": "r1", "pattern": "example.com/*", "script": "b" }, { "id": "r2", "pattern": "example.com/x" }]),
        ),
        (
            "queues".to_owned(),
            json!([{ "queue_name": "jobs", "consumers": [{ "type": "worker", "script": "a" }, { "type": "http_pull" }] }]),
        ),
    ] {
        platform
            .cloud
            .scripts
            .borrow_mut()
            .resources
            .insert(path, (200, result));
    }
    let get = |path: &str| {
        let answered = platform.call(&token, &format!("GET /v1/account/{path}"), "");
        assert_eq!(answered.status, 200, "{path}: {}", answered.text());
        answered.body
    };
    let first = get("workers?limit=2");
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let rest = get(&format!(
        "workers?limit=2&cursor={}",
        first["cursor"].as_str().unwrap()
    ));
    assert_eq!(rest["items"][0]["name"], "c");
    assert_eq!(rest["cursor"], Value::Null);

    let worker = get("workers/a");
    assert_eq!(worker["crons"], json!(["* * * * *"]));
    assert_eq!(worker["durable_objects"][0]["has_data"], true);
    assert_eq!(worker["bindings"][2]["entrypoint"], "Admin");
    assert_eq!(worker["bindings"][2]["has_props"], true);
    assert_eq!(worker["versions"][0]["percentage"], 100.0);
    assert_eq!(worker["unknown"], json!([]));
    assert!(
        !worker.to_string().contains("marker"),
        "the value of a variable is shown"
    );

    let hosts = get("hosts");
    assert_eq!(hosts["workers_dev_url"], "https://{worker}.team.workers.dev");
    let found: Vec<_> = hosts["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| host["pattern"].as_str().unwrap())
        .collect();
    assert_eq!(found, ["a.example.com", "example.com/*", "example.com/x"]);
    assert_eq!(hosts["unknown"], json!([]));
    assert_eq!(
        get("queues")["items"],
        json!([{ "queue": "jobs", "worker": "a" }])
    );

    for (forbidden, path, member, what) in [
        ("a/settings", "workers/a", "bindings", "settings"),
        ("a/schedules", "workers/a", "crons", "crons"),
        ("a/subdomain", "workers/a", "workers_dev", "workers_dev"),
        (
            "durable_objects/namespaces",
            "workers/a",
            "durable_objects",
            "durable_objects",
        ),
        (
            "workers/routes",
            "hosts",
            "cursor",
            "routes of the zone example.com",
        ),
        ("zones", "hosts", "cursor", "zones and their routes"),
        ("workers/domains", "hosts", "cursor", "custom domains"),
        ("queues", "queues", "cursor", "queue consumers"),
    ] {
        platform.cloud.scripts.borrow_mut().forbidden = vec![forbidden.to_owned()];
        let found = get(path);
        assert_eq!(found[member], Value::Null, "{path}: {found}");
        assert_eq!(found["unknown"][0]["what"], what, "{found}");
        assert!(
            found["unknown"][0]["permission"]
                .as_str()
                .unwrap()
                .ends_with(": Read"),
            "{found}"
        );
    }
    platform.cloud.scripts.borrow_mut().forbidden.clear();
    // A token that is limited to other zones gets an empty list and no error.
    platform
        .cloud
        .scripts
        .borrow_mut()
        .resources
        .insert("zones".to_owned(), (200, json!([])));
    assert_eq!(get("hosts")["unknown"][0]["permission"], "Zone: Read");

    for path in [
        "workers/..%2fx",
        "workers/a.b",
        "workers?limit=0",
        "hosts?cursor=1",
        "queues?limit=1",
    ] {
        let refused = platform.call(&token, &format!("GET /v1/account/{path}"), "");
        assert_eq!(code(&refused), "PARAMETER_INVALID", "{path}");
    }
    assert_eq!(
        code(&platform.call(&token, "GET /v1/account/workers/nobody", "")),
        "ACCOUNT_WORKER_UNKNOWN"
    );
}
