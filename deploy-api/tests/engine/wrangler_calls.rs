use deploy_api::code::Code;
use dotdo_names::Environment;
use futures_executor::block_on;
use serde_json::json;

use super::platform::Platform;
use super::support::callers::grant;
use super::wrangler_upload::Upload;

#[test]
fn get_script_returns_the_script_or_the_error_that_wrangler_expects() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let absent = platform.call(&token, "GET S", "");
    assert_eq!((absent.status, absent.codes()), (404, vec![10092]));
    let migrations = json!({ "new_tag": "v1", "new_sqlite_classes": ["Room"] });
    platform.deploy(&token, &Upload::of("1").with("migrations", migrations));
    let found = platform.call(&token, "GET S", "");
    assert_eq!(found.body["result"]["script"]["migration_tag"], "v1");
    assert_eq!(
        found.body["result"]["script"]["tags"],
        json!([]),
        "our tag is ours"
    );
}

#[test]
fn no_account_worker_is_returned() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let service = platform.call(&token, "GET A/workers/services/agents", "");
    assert_eq!((service.status, service.codes()), (404, vec![10007]));
    let workflow = platform.call(&token, "GET A/workflows/flow", "");
    assert_eq!((workflow.status, workflow.codes()), (404, vec![10200]));
    assert!(platform.cloud.seen.borrow().is_empty());
}

#[test]
fn the_settings_are_those_of_the_worker_in_the_namespace() {
    const SETTINGS: &str = "GET A/workers/scripts/agents/settings";
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let absent = platform.call(&token, SETTINGS, "");
    assert_eq!((absent.status, absent.codes()), (404, vec![10007]));
    let upload = Upload::of("1")
        .bound(json!({ "type": "kv_namespace", "name": "KV", "namespace_id": "k1" }))
        .bound(json!({ "type": "secret_text", "name": "KEY", "text": "marker" }));
    platform.deploy(&token, &upload);
    let settings = platform.call(&token, SETTINGS, "");
    assert_eq!(settings.status, 200, "{}", settings.text());
    assert_eq!(
        settings.body["result"],
        json!({
            "bindings": [
                { "type": "kv_namespace", "name": "KV", "namespace_id": "k1" },
                { "type": "secret_text", "name": "KEY" }
            ],
            "compatibility_date": "2027-01-01", "tags": [], "usage_model": "standard"
        })
    );
    // A caller who may do nothing to the Worker does not learn whether it exists.
    let stranger = platform.token(
        "alice",
        &[grant(&["dotdo-staging"], &["other"], &["deploy", "read"])],
    );
    let denied = platform.call(&stranger, SETTINGS, "");
    assert_eq!(denied.codes(), [u64::from(Code::PermissionDenied.number())]);
}

#[test]
fn an_inherited_binding_is_kept_by_rollbacks() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let bound = |code: &str, binding| Upload::of(code).bound(binding);
    let inherit = || json!({ "type": "inherit", "name": "KV" });
    let missing = bound("0", inherit());
    let (content_type, body) = missing.form();
    let refused = block_on(platform.ask(&token, "PUT S", &[("content-type", &content_type)], body));
    assert_eq!(refused.codes()[0], 10057, "{}", refused.text());
    let first = json!({ "type": "kv_namespace", "name": "KV", "namespace_id": "k1" });
    platform.deploy(&token, &bound("1", first.clone()));
    platform.deploy(&token, &bound("2", inherit()));
    let inherited = platform.deployments("dotdo-staging")[0]["id"].clone();
    // The next version does not have the binding, so that nothing can be inherited from it.
    platform.deploy(&token, &Upload::of("3"));
    super::rollbacks::roll_back(&platform, &json!({ "deployment": inherited }).to_string()).unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "2");
    let scripts = platform.cloud.scripts.borrow();
    assert_eq!(scripts.get("dotdo-staging/agents").unwrap().bindings, [first]);
}

#[test]
fn the_parts_of_a_script_are_read_and_the_script_is_deleted() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for part in ["settings", "bindings", "tags", "secrets"] {
        let absent = platform.call(&token, &format!("GET S/{part}"), "");
        assert_eq!((absent.status, absent.codes()), (404, vec![10092]), "{part}");
    }
    let upload = Upload::of("1")
        .with("tags", json!(["team:a"]))
        .bound(json!({ "type": "secret_text", "name": "KEY", "text": "marker" }));
    platform.deploy(&token, &upload);
    let secret = json!({ "type": "secret_text", "name": "KEY" });
    for (part, expected) in [
        ("bindings", json!([secret])),
        ("tags", json!(["team:a"])),
        ("secrets", json!([secret])),
    ] {
        let found = platform.call(&token, &format!("GET S/{part}"), "");
        assert_eq!((found.status, &found.body["result"]), (200, &expected), "{part}");
    }
    let settings = platform.call(&token, "GET S/settings", "");
    assert_eq!(settings.body["result"]["tags"], json!(["team:a"]));
    assert!(!settings.text().contains("marker"));
    let reader = platform.token("alice", &[grant(&["dotdo-staging"], &["*"], &["read"])]);
    assert_eq!(platform.call(&reader, "GET S/settings", "").status, 200);
    let denied = platform.call(&reader, "DELETE S", "");
    assert_eq!(denied.codes(), [u64::from(Code::PermissionDenied.number())]);
    let odd = platform.call(&token, "DELETE S?version=1", "");
    assert_eq!(odd.codes(), [u64::from(Code::ParameterInvalid.number())]);
    assert_eq!(platform.call(&token, "DELETE S?force=true", "").status, 200);
    assert_eq!(platform.serves("dotdo-staging"), None);
    let absent = platform.call(&token, "DELETE S", "");
    assert_eq!((absent.status, absent.codes()), (404, vec![10092]));
    platform.assert_reconciled();
}

#[test]
fn the_form_of_cloudflares_sdk_is_read() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let field = |name: &str, value: &str| {
        format!("--x-y\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let form = [
        field("metadata[main_module]", "index.js"),
        field("metadata[compatibility_date]", "2027-01-01"),
        field("metadata[bindings][][type]", "plain_text"),
        field("metadata[bindings][][name]", "MODE"),
        field("metadata[bindings][][text]", "fast"),
        "--x-y\r\nContent-Disposition: form-data; name=\"files[]\"; filename=\"index.js\"\r\nContent-Type: \
         application/javascript+module\r\n\r\nof the SDK\r\n--x-y--\r\n"
            .to_owned(),
    ]
    .concat();
    let put = |content_type: &str, body: &str| {
        let headers = [("content-type", content_type)];
        block_on(platform.ask(&token, "PUT S", &headers, body.as_bytes().to_vec()))
    };
    let deployed = put("application/javascript", &form);
    assert_eq!(deployed.status, 200, "{}", deployed.text());
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "of the SDK");
    let bindings = platform.call(&token, "GET S/bindings", "");
    assert_eq!(
        bindings.body["result"],
        json!([{ "type": "plain_text", "name": "MODE", "text": "fast" }])
    );
    let twice = form.replacen("--x-y", &format!("{}--x-y", field("metadata", "{}")), 1);
    for body in ["export default {}", "", "--", &twice] {
        let refused = put("application/javascript", body);
        assert_eq!(
            refused.codes(),
            [u64::from(Code::UploadMalformed.number())],
            "{body}"
        );
    }
}

#[test]
fn whoami_returns_the_identity_of_the_caller() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let verified = platform.call(&token, "GET /user/tokens/verify", "");
    assert_eq!(verified.body["result"]["status"], "active");
    let user = platform.call(&token, "GET /user", "");
    assert!(user.body["result"]["email"].as_str().unwrap().contains("alice"));
    for call in ["GET /accounts?page=1", "GET /memberships"] {
        let answer = platform.call(&token, call, "");
        assert!(
            answer.text().contains("b6641681fe423910342b9ffa1364c76d"),
            "{call}"
        );
    }
    assert!(
        platform.cloud.seen.borrow().is_empty(),
        "the account's token is nobody's identity"
    );
}

/// The upstream's response to a look-up of a resource.
fn set_resource(platform: &Platform, path: &str, status: u16, result: serde_json::Value) {
    let resources = &mut platform.cloud.scripts.borrow_mut().resources;
    resources.insert(path.to_owned(), (status, result));
}

#[test]
fn resources_are_looked_up_at_the_upstream_and_only_known_members_are_returned() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for (path, result, expected) in [
        (
            "r2/buckets/photos",
            json!({ "name": "photos", "location": "weur", "owner": "x" }),
            json!({ "name": "photos", "location": "weur" }),
        ),
        (
            "r2/buckets",
            json!({ "buckets": [{ "name": "photos", "owner": "x" }] }),
            json!({ "buckets": [{ "name": "photos" }] }),
        ),
        (
            "storage/kv/namespaces",
            json!([{ "id": "k1", "title": "cache", "secret": "x" }]),
            json!([{ "id": "k1", "title": "cache" }]),
        ),
        (
            "d1/database/main",
            json!({ "uuid": "d1", "name": "main", "file_size": 7 }),
            json!({ "uuid": "d1", "name": "main" }),
        ),
        (
            "d1/database",
            json!([{ "uuid": "d1", "name": "main", "file_size": 7 }]),
            json!([{ "uuid": "d1", "name": "main" }]),
        ),
        (
            "hyperdrive/configs/h1",
            json!({ "id": "h1", "name": "db", "origin": { "password": "x" } }),
            json!({ "id": "h1", "name": "db" }),
        ),
        (
            "vectorize/v2/indexes/texts",
            json!({ "name": "texts", "config": { "dimensions": 3 }, "description": "x" }),
            json!({ "name": "texts", "config": { "dimensions": 3 } }),
        ),
        (
            "flagship/apps",
            json!([{ "id": "f1", "name": "app" }]),
            json!([{ "id": "f1", "name": "app" }]),
        ),
        (
            "ai-search/namespaces/docs",
            json!({ "name": "docs" }),
            json!({ "name": "docs" }),
        ),
        (
            "agent-memory/namespaces/notes",
            json!({ "name": "notes" }),
            json!({ "name": "notes" }),
        ),
    ] {
        set_resource(&platform, path, 200, result);
        let found = platform.call(&token, &format!("GET A/{path}"), "");
        assert_eq!((found.status, &found.body["result"]), (200, &expected), "{path}");
    }
    assert!(platform.cloud.changes().is_empty());
    // Only the parameters that wrangler sends are passed on.
    let page = platform.call(
        &token,
        "GET A/storage/kv/namespaces?per_page=100&order=title&direction=asc&page=1",
        "",
    );
    assert_eq!(page.status, 200);
    let last = platform.cloud.seen.borrow().last().unwrap().line.clone();
    assert_eq!(
        last,
        "GET A/storage/kv/namespaces?per_page=100&order=title&direction=asc&page=1"
    );
    for query in ["page=1000", "per_page=5000", "search=x"] {
        let answer = platform.call(&token, &format!("GET A/d1/database?{query}"), "");
        assert_eq!(
            answer.codes(),
            [u64::from(Code::ParameterInvalid.number())],
            "{query}"
        );
    }
}

#[test]
fn an_absent_resource_has_the_code_of_cloudflare_and_its_creation_is_refused_with_the_command() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for (path, code) in [("r2/buckets/photos", 10006), ("d1/database/main", 7404)] {
        let absent = platform.call(&token, &format!("GET A/{path}"), "");
        assert_eq!((absent.status, absent.codes()), (404, vec![code]), "{path}");
    }
    for path in ["ai-search/namespaces/docs", "agent-memory/namespaces/notes"] {
        assert_eq!(platform.call(&token, &format!("GET A/{path}"), "").status, 404);
    }
    for (path, command, field) in [
        (
            "r2/buckets",
            "npx wrangler r2 bucket create",
            "r2_buckets[].bucket_name",
        ),
        (
            "storage/kv/namespaces",
            "npx wrangler kv namespace create",
            "kv_namespaces[].id",
        ),
        (
            "d1/database",
            "npx wrangler d1 create",
            "d1_databases[].database_id",
        ),
        ("queues", "npx wrangler queues create", "queues.producers[].queue"),
        (
            "ai-search/namespaces",
            "in the dashboard",
            "ai_search_namespaces[]",
        ),
        ("agent-memory/namespaces", "in the dashboard", "agent_memory[]"),
        ("flagship/apps", "in the dashboard", "flagship[].app_id"),
    ] {
        let refused = platform.call(&token, &format!("POST A/{path}"), r#"{"name": "new"}"#);
        assert_eq!(
            refused.codes(),
            [u64::from(Code::ResourceChangeRefused.number())],
            "{path}"
        );
        let text = refused.text();
        assert!(text.contains(command) && text.contains(field), "{text}");
    }
    assert!(platform.cloud.changes().is_empty());
}

#[test]
fn without_the_permission_a_bucket_exists_and_other_look_ups_name_the_permission() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for path in [
        "r2/buckets/photos",
        "d1/database/main",
        "storage/kv/namespaces",
        "queues",
    ] {
        set_resource(&platform, path, 403, json!(null));
    }
    let bucket = platform.call(&token, "GET A/r2/buckets/photos", "");
    assert_eq!(
        (bucket.status, &bucket.body["result"]),
        (200, &json!({ "name": "photos" }))
    );
    for (call, permission) in [
        ("GET A/d1/database/main", "D1: Read"),
        ("GET A/storage/kv/namespaces", "Workers KV Storage: Read"),
        ("GET A/queues?name=jobs", "Queues: Read"),
    ] {
        let refused = platform.call(&token, call, "");
        assert_eq!(
            (refused.status, refused.codes()),
            (403, vec![u64::from(Code::ResourceUnreadable.number())]),
            "{call}"
        );
        assert!(refused.text().contains(permission), "{}", refused.text());
    }
}

#[test]
fn a_caller_who_may_deploy_nothing_looks_up_nothing() {
    let platform = Platform::new();
    let token = platform.token("alice", &[grant(&["dotdo-staging"], &["*"], &["read"])]);
    for call in ["GET A/r2/buckets/photos", "GET A/queues", "GET A/d1/database"] {
        let denied = platform.call(&token, call, "");
        assert_eq!(
            denied.codes(),
            [u64::from(Code::PermissionDenied.number())],
            "{call}"
        );
    }
    assert!(platform.cloud.seen.borrow().is_empty());
    let one = platform.token("alice", &[grant(&["dotdo-staging"], &["agents"], &["deploy"])]);
    set_resource(&platform, "r2/buckets/photos", 200, json!({ "name": "photos" }));
    assert_eq!(platform.call(&one, "GET A/r2/buckets/photos", "").status, 200);
}

#[test]
fn queues_are_returned_by_their_names_without_other_queues() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let queue = |name: &str| json!({ "queue_name": name, "queue_id": "q1", "producers": ["someone"] });
    set_resource(
        &platform,
        "queues",
        200,
        json!([queue("jobs"), queue("mails"), queue("others")]),
    );
    let found = platform.call(&token, "GET A/queues?name=jobs&name=mails&page=1", "");
    assert_eq!(
        found.body["result"],
        json!([
            { "queue_id": "q1", "queue_name": "jobs" },
            { "queue_id": "q1", "queue_name": "mails" }
        ])
    );
    let absent = platform.call(&token, "GET A/queues?name=none", "");
    assert_eq!(absent.body["result"], json!([]));
    for call in ["GET A/queues?name=a%2Fb", "GET A/queues?name=%"] {
        let answer = platform.call(&token, call, "");
        assert_eq!(
            answer.codes(),
            [u64::from(Code::ParameterInvalid.number())],
            "{call}"
        );
    }
}

#[test]
fn only_namespaces_that_the_caller_may_read_are_listed() {
    let platform = Platform::new();
    let token = platform.token("alice", &[grant(&["dotdo-staging"], &["agents"], &["read"])]);
    let listed = platform.call(&token, "GET A/workers/dispatch/namespaces", "");
    let names: Vec<_> = listed.body["result"]
        .as_array()
        .unwrap()
        .iter()
        .map(|namespace| namespace["namespace_name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["dotdo-staging"]);
    let one = platform.call(&token, "GET A/workers/dispatch/namespaces/dotdo-staging", "");
    assert_eq!(one.body["result"]["script_count"], 0);
    let other = platform.call(&token, "GET A/workers/dispatch/namespaces/dotdo-production", "");
    assert_eq!(other.codes(), [u64::from(Code::PermissionDenied.number())]);
}

#[test]
fn an_unsupported_call_is_rejected_and_not_forwarded() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for (call, code) in [
        (
            "DELETE A/workers/services/dispatcher?force=true",
            Code::DeleteRefused,
        ),
        ("POST A/workers/scripts/agents/tails", Code::TailRefused),
        (
            "PUT A/workers/scripts/dispatcher/content",
            Code::AccountWorkerRefused,
        ),
        ("POST A/workers/scripts/agents/versions", Code::VersionsRefused),
        (
            "DELETE A/workers/dispatch/namespaces/dotdo-production",
            Code::NamespaceChangeRefused,
        ),
        ("POST A/workers/dispatch/namespaces", Code::NamespaceChangeRefused),
        ("POST A/storage/kv/namespaces", Code::ResourceChangeRefused),
        ("PUT S/content", Code::AccountWorkerRefused),
        ("GET /zones", Code::CallUnknown),
        (
            "GET /accounts/00000000000000000000000000000000/workers/services/agents",
            Code::AccountUnknown,
        ),
        ("GET A/workers/dispatch/namespaces/other", Code::NamespaceUnknown),
        ("GET A/workers/../../user", Code::PathMalformed),
        ("GET A/workers%2fservices/agents", Code::PathMalformed),
        ("GET //user", Code::PathMalformed),
    ] {
        let answer = platform.call(&token, call, "");
        let expected = if call == "PUT S/content" {
            Code::CallUnknown
        } else {
            code
        };
        assert_eq!(answer.codes(), [u64::from(expected.number())], "{call}");
        assert!(
            answer.body["errors"][0]["documentation_url"].is_string(),
            "{call}"
        );
    }
    assert!(platform.cloud.seen.borrow().is_empty());
}

#[test]
fn another_method_or_key_by_a_header_is_refused() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for (header, code) in [
        ("X-HTTP-Method-Override", Code::MethodOverrideRefused),
        ("x-original-url", Code::MethodOverrideRefused),
        ("X-Auth-Key", Code::LegacyKeyRefused),
    ] {
        let answer = block_on(platform.ask(&token, "GET /user", &[(header, "DELETE")], Vec::new()));
        assert_eq!(answer.codes(), [u64::from(code.number())], "{header}");
    }
}

#[test]
fn an_unauthenticated_caller_always_gets_the_same_response() {
    let platform = Platform::new();
    for call in [
        "GET /user",
        "GET /zones",
        "DELETE S",
        "GET A/workers/../x",
        "PUT S",
    ] {
        let answer = platform.call("dotdo_api_nonsense", call, "");
        assert_eq!(
            answer.codes(),
            [u64::from(Code::AuthenticationFailed.number())],
            "{call}"
        );
        assert_eq!(answer.status, 401);
    }
}

#[test]
fn an_unknown_parameter_is_rejected_and_not_ignored() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let (content_type, body) = Upload::of("1").form();
    for query in [
        "version=2",
        "excludeScript=true&rollout=10",
        "excludeScript=true&excludeScript=false",
    ] {
        let call = format!("PUT S?{query}");
        let answer = block_on(platform.ask(&token, &call, &[("content-type", &content_type)], body.clone()));
        assert_eq!(
            answer.codes(),
            [u64::from(Code::ParameterInvalid.number())],
            "{query}"
        );
    }
    assert!(platform.cloud.changes().is_empty());
}

#[test]
fn the_lists_of_v1_contain_only_readable_items() {
    let rule = json!({
        "name": "bob", "who": { "token": "bob" }, "namespaces": ["dotdo-staging"], "workers": ["agents"],
        "actions": ["read"]
    });
    let platform = Platform::with_rules(&[rule]);
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("1"));
    for name in ["other", "UNROUTABLE"] {
        let scripts = &mut platform.cloud.scripts.borrow_mut().by_key;
        scripts.insert(format!("dotdo-staging/{name}"), super::scripts::Script::default());
    }
    let bob = super::support::callers::person("bob");
    let names = |caller| {
        let page = platform
            .v1_by(caller, async |gateway, credential| {
                deploy_api::v1::workers::list(gateway, credential, Environment::Staging.into(), &[]).await
            })
            .unwrap();
        let items = page["items"].as_array().unwrap().clone();
        items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&bob), ["agents"]);
    let alice = super::support::callers::person("alice");
    assert_eq!(names(&alice), ["UNROUTABLE", "agents", "other"]);
}

#[test]
fn a_deleted_worker_keeps_its_deployments() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("1"));
    let target = deploy_api::v1::target("dotdo-staging", "agents").unwrap();
    platform
        .v1(async |gateway, credential| {
            deploy_api::v1::deletion::delete(gateway, credential, &target, &[]).await
        })
        .unwrap();
    assert_eq!(platform.serves("dotdo-staging"), None);
    let deployments = platform.deployments("dotdo-staging");
    assert_eq!(deployments[0]["serving"], false);
    let again = platform.v1(async |gateway, credential| {
        deploy_api::v1::deletion::delete(gateway, credential, &target, &[]).await
    });
    assert_eq!(again.unwrap_err().code, Code::WorkerUnknown);
    // It can be restored by its id.
    let body = json!({ "deployment": deployments[0]["id"] }).to_string();
    super::rollbacks::roll_back(&platform, &body).unwrap();
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "1");
    platform.assert_reconciled();
}

#[test]
fn replacing_tags_keeps_the_deployment_tag() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    platform.deploy(&token, &Upload::of("1"));
    let target = deploy_api::v1::target("dotdo-staging", "agents").unwrap();
    let put = |body: &str| {
        platform.v1(async |gateway, credential| {
            deploy_api::v1::tags::put(gateway, credential, &target, body.as_bytes()).await
        })
    };
    put(r#"["a:b", "c"]"#).unwrap();
    let tags = platform
        .cloud
        .scripts
        .borrow()
        .get("dotdo-staging/agents")
        .unwrap()
        .tags
        .clone();
    assert_eq!(tags.len(), 3);
    assert!(tags[2].starts_with("dotdo-deployment-"));
    let listed = platform
        .v1(async |gateway, credential| deploy_api::v1::tags::list(gateway, credential, &target).await)
        .unwrap();
    assert_eq!(listed["tags"], json!(["a:b", "c"]));
    for bad in [
        r#"["a,b"]"#,
        r#"[""]"#,
        r#"["dotdo-deployment-1"]"#,
        r#"["1","2","3","4","5","6","7","8"]"#,
        "{}",
    ] {
        assert_eq!(put(bad).unwrap_err().code, Code::BodyInvalid, "{bad}");
    }
}
