//! The supported calls of `/client/v4`, and the errors of the other calls.

#![cfg(test)]

use deploy_api::{
    assets::AssetHash,
    code::Code,
    gateway::{Part, Product, Route},
    http::is_method_override,
    target::Target,
};
use dotdo_names::{Environment, WorkerName};

/// Expands `A` (the account) and `S` (a script in the staging namespace) at the beginning of a path.
fn path(short: &str) -> String {
    let account = "/client/v4/accounts/b6641681fe423910342b9ffa1364c76d";
    if let Some(rest) = short.strip_prefix('S') {
        format!("{account}/workers/dispatch/namespaces/dotdo-staging/scripts/agents{rest}")
    } else if let Some(rest) = short.strip_prefix('A') {
        format!("{account}{rest}")
    } else {
        format!("/client/v4{short}")
    }
}

fn agents() -> WorkerName {
    WorkerName::parse("agents").unwrap()
}

fn target() -> Target {
    Target {
        namespace: Environment::Staging.into(),
        worker: agents(),
    }
}

#[test]
fn every_served_call_has_its_route() {
    for (method, short, route) in [
        ("GET", "/user/tokens/verify", Route::VerifyToken),
        ("GET", "/user", Route::User),
        ("GET", "/accounts", Route::Accounts),
        ("GET", "/memberships", Route::Memberships),
        ("GET", "A/workers/dispatch/namespaces", Route::Namespaces),
        (
            "GET",
            "A/workers/dispatch/namespaces/dotdo-staging",
            Route::Namespace(Environment::Staging),
        ),
        ("GET", "S", Route::Script(target())),
        ("PUT", "S", Route::Upload(target())),
        ("DELETE", "S", Route::DeleteScript(target())),
        ("GET", "S/settings", Route::ScriptPart(target(), Part::Settings)),
        ("GET", "S/bindings", Route::ScriptPart(target(), Part::Bindings)),
        ("GET", "S/tags", Route::ScriptPart(target(), Part::Tags)),
        ("GET", "S/secrets", Route::ScriptPart(target(), Part::Secrets)),
        ("PUT", "S/secrets", Route::PutScriptSecret(target())),
        (
            "DELETE",
            "S/secrets/TOKEN",
            Route::DeleteScriptSecret(target(), "TOKEN".to_owned()),
        ),
        ("PATCH", "S/secrets-bulk", Route::PatchScriptSecrets(target())),
        (
            "PATCH",
            "A/workers/scripts/agents/secrets-bulk",
            Route::PatchSecrets(agents()),
        ),
        (
            "PATCH",
            "A/workers/scripts/agents/settings",
            Route::PatchSettings(agents()),
        ),
        ("POST", "S/assets-upload-session", Route::AssetSession(target())),
        ("POST", "A/workers/assets/upload", Route::AssetUpload),
        (
            "POST",
            "A/workers/assets/upload/00112233445566778899aabbccddeeff",
            Route::SingleAssetUpload(AssetHash::parse("00112233445566778899aabbccddeeff").unwrap()),
        ),
        (
            "GET",
            "A/workers/services/agents",
            Route::AccountService(agents()),
        ),
        (
            "GET",
            "A/workers/scripts/agents/settings",
            Route::Settings(agents()),
        ),
        (
            "PATCH",
            "A/workers/scripts/agents/script-settings",
            Route::ScriptTags(agents()),
        ),
        (
            "GET",
            "A/workers/scripts/agents/secrets",
            Route::Secrets(agents()),
        ),
        (
            "PUT",
            "A/workers/scripts/agents/secrets",
            Route::PutSecret(agents()),
        ),
        (
            "DELETE",
            "A/workers/scripts/agents/secrets/TOKEN",
            Route::DeleteSecret(agents(), "TOKEN".to_owned()),
        ),
        ("GET", "A/workflows/nightly", Route::Workflow),
        ("GET", "A/queues", Route::Resources(Product::Queues)),
        (
            "GET",
            "A/r2/buckets/photos",
            Route::Resource(Product::R2, "photos".to_owned()),
        ),
        ("GET", "A/storage/kv/namespaces", Route::Resources(Product::Kv)),
    ] {
        assert_eq!(Route::parse(method, &path(short)), Ok(route), "{method} {short}");
    }
}

/// Calls that stock wrangler, an SDK or an attacker may make.
const REFUSED: &[(&str, &str, Code)] = &[
    ("POST", "A/workers/scripts/agents/tails", Code::TailRefused),
    ("GET", "A/workers/scripts/agents/tails", Code::TailRefused),
    ("POST", "A/workers/assets/upload/x", Code::UploadMalformed),
    ("DELETE", "A/workers/services/agents", Code::DeleteRefused),
    ("DELETE", "A/workers/services/dispatcher", Code::DeleteRefused),
    ("DELETE", "A/workers/scripts/agents", Code::DeleteRefused),
    (
        "DELETE",
        "A/workers/dispatch/namespaces/dotdo-staging/scripts",
        Code::DeleteRefused,
    ),
    ("GET", "A/workers/scripts/agents/references", Code::DeleteRefused),
    ("GET", "A/workers/tails/by-consumer/agents", Code::DeleteRefused),
    ("GET", "A/workers/scripts/agents/versions", Code::VersionsRefused),
    ("POST", "A/workers/scripts/agents/versions", Code::VersionsRefused),
    (
        "GET",
        "A/workers/scripts/agents/deployments",
        Code::VersionsRefused,
    ),
    (
        "POST",
        "A/workers/scripts/agents/deployments",
        Code::VersionsRefused,
    ),
    (
        "POST",
        "A/workers/dispatch/namespaces",
        Code::NamespaceChangeRefused,
    ),
    (
        "PUT",
        "A/workers/dispatch/namespaces/dotdo-staging",
        Code::NamespaceChangeRefused,
    ),
    (
        "DELETE",
        "A/workers/dispatch/namespaces/dotdo-staging",
        Code::NamespaceChangeRefused,
    ),
    ("PUT", "A/workers/scripts/agents", Code::AccountWorkerRefused),
    (
        "PUT",
        "A/workers/scripts/dispatcher/content",
        Code::AccountWorkerRefused,
    ),
    (
        "PUT",
        "A/workers/scripts/agents/schedules",
        Code::AccountWorkerRefused,
    ),
    ("GET", "A/workers/scripts/agents", Code::AccountWorkerRefused),
    ("POST", "A/storage/kv/namespaces", Code::ResourceChangeRefused),
    ("POST", "A/d1/database", Code::ResourceChangeRefused),
    ("PUT", "A/workflows/nightly", Code::ResourceChangeRefused),
    ("POST", "A/queues", Code::ResourceChangeRefused),
    ("GET", "A/storage/kv/namespaces/k1/keys", Code::CallUnknown),
    ("GET", "S/content", Code::CallUnknown),
    ("PUT", "S/content", Code::CallUnknown),
    ("PUT", "S/secrets/TOKEN", Code::CallUnknown),
    ("HEAD", "S", Code::CallUnknown),
    ("put", "S", Code::CallUnknown),
    ("GET", "/zones", Code::CallUnknown),
    ("POST", "/user/tokens", Code::CallUnknown),
    ("DELETE", "A", Code::CallUnknown),
];

#[test]
fn an_unsupported_call_returns_a_specific_code_and_an_alternative() {
    for (method, short, code) in REFUSED {
        let problem = Route::parse(method, &path(short)).unwrap_err();
        assert_eq!(problem.code, *code, "{method} {short}");
        assert!(
            !problem.fix.is_empty(),
            "{method} {short} says what to do instead"
        );
    }
}

#[test]
fn commands_about_the_content_of_a_resource_need_a_login() {
    for (method, short, code) in [
        (
            "PUT",
            "A/storage/kv/namespaces/k1/values/hostname%3Ashop.example.com",
            Code::ResourceChangeRefused,
        ),
        (
            "GET",
            "A/storage/kv/namespaces/k1/values/hostname%3Ashop.example.com",
            Code::CallUnknown,
        ),
        ("POST", "A/d1/database/d1/query", Code::ResourceChangeRefused),
        ("GET", "A/r2/buckets/photos/objects/a%2Fb.png", Code::CallUnknown),
        ("GET", "/zones", Code::CallUnknown),
        (
            "PUT",
            "A/storage/kv/namespaces/../values/%41",
            Code::PathMalformed,
        ),
    ] {
        let problem = Route::parse(method, &path(short)).unwrap_err();
        assert_eq!(problem.code, code, "{method} {short}");
        let has_advice =
            problem.fix.contains("wrangler login") && problem.fix.contains("CLOUDFLARE_API_BASE_URL");
        assert_eq!(has_advice, code != Code::PathMalformed, "{method} {short}");
    }
}

#[test]
fn hostile_paths_are_rejected() {
    for (short, code) in [
        ("S/../agents", Code::PathMalformed),
        (
            "A/workers/dispatch/namespaces/dotdo-staging/scripts/../../../scripts/dispatcher",
            Code::PathMalformed,
        ),
        (
            "A/workers/dispatch/namespaces/dotdo-staging/scripts/a%2f..%2fdispatcher",
            Code::PathMalformed,
        ),
        (
            "A/workers/dispatch/namespaces/dotdo-staging/scripts/%2e%2e",
            Code::PathMalformed,
        ),
        ("A//workers/dispatch/namespaces", Code::PathMalformed),
        ("S/", Code::PathMalformed),
        (
            "A/workers/dispatch/namespaces/dotdo-staging%00/scripts/agents",
            Code::PathMalformed,
        ),
    ] {
        for method in ["GET", "PUT", "POST", "DELETE"] {
            let refused = Route::parse(method, &path(short)).map_err(|problem| problem.code);
            assert_eq!(refused, Err(code), "{method} {short}");
        }
    }
}

#[test]
fn another_account_is_refused() {
    for account in [
        "00000000000000000000000000000000",
        "B6641681FE423910342B9FFA1364C76D",
        "x",
    ] {
        let path =
            format!("/client/v4/accounts/{account}/workers/dispatch/namespaces/dotdo-staging/scripts/agents");
        assert_eq!(
            Route::parse("PUT", &path).unwrap_err().code,
            Code::AccountUnknown,
            "{account}"
        );
    }
}

#[test]
fn another_namespace_is_refused() {
    for name in [
        "production",
        "dotdo-prod",
        "DOTDO-STAGING",
        "62ce3520-96e8-4d9d-a37d-83e99d5319ab",
    ] {
        let path = path(&format!("A/workers/dispatch/namespaces/{name}/scripts/agents"));
        assert_eq!(
            Route::parse("PUT", &path).unwrap_err().code,
            Code::NamespaceUnknown,
            "{name}"
        );
    }
}

#[test]
fn a_name_that_no_host_reaches_is_refused_before_the_upload() {
    for (name, code) in [
        ("staging", Code::WorkerNameUnroutable),
        ("a--b", Code::WorkerNameUnroutable),
        ("api-staging", Code::EnvironmentSuffix),
    ] {
        let path = path(&format!(
            "A/workers/dispatch/namespaces/dotdo-staging/scripts/{name}"
        ));
        for method in ["GET", "PUT"] {
            assert_eq!(
                Route::parse(method, &path).unwrap_err().code,
                code,
                "{method} {name}"
            );
        }
    }
}

#[test]
fn headers_that_override_the_method_or_the_path_are_detected() {
    for header in [
        "X-HTTP-Method-Override",
        "x-http-method",
        "X-Method-Override",
        "X-Original-URL",
    ] {
        assert!(is_method_override(header), "{header}");
    }
    for header in ["content-type", "x-auth-key", "method"] {
        assert!(!is_method_override(header), "{header}");
    }
}
