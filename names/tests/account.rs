//! `dotdo.jsonc`: what parses, which values are rejected, and the constants that are generated.
#![expect(
    clippy::expect_used,
    reason = "a test fails by a panic, also in its helper functions"
)]

// The build script of this crate compiles the same file.
#[path = "../build/account.rs"]
mod account;

use account::AccountFile;
use dotdo_names::{ACCOUNT_ID, Environment};

fn repository_file() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../dotdo.jsonc");
    std::fs::read_to_string(path).expect("dotdo.jsonc is readable")
}

/// The problems of a valid file in which `from` is replaced by `to`.
fn problems(from: &str, to: &str) -> Vec<String> {
    let valid = r#"{
        "account": { "id": "b6641681fe423910342b9ffa1364c76d", "name": "Driv.ly" },
        "namespaces": {
            "production": { "name": "prod", "id": "00000000-0000-0000-0000-000000000001" },
            "staging": { "name": "stag", "id": "00000000-0000-0000-0000-000000000002" },
            "development": { "name": "deve", "id": "00000000-0000-0000-0000-000000000003" },
        },
        "workers": { "dispatch": "dispatcher", "deploy_api": "deploy-api", "logs": "logs" },
        "zones": ["agents.do", "apis.do"],
        "custom_hostname_zone": "customers.example",
        "errors_page": "https://docs.example/errors",
    }"#;
    assert!(AccountFile::parse(valid).is_ok());
    assert!(valid.contains(from), "{from}");
    AccountFile::parse(&valid.replacen(from, to, 1)).expect_err(to)
}

#[test]
fn generates_a_constant_for_each_value() {
    let source = AccountFile::parse(&repository_file())
        .expect("the file is valid")
        .to_rust();
    for expected in [
        format!("pub const ACCOUNT_ID: &str = {ACCOUNT_ID:?};"),
        format!(
            "pub const STAGING: (&str, &str) = ({:?}, {:?});",
            Environment::Staging.namespace(),
            Environment::Staging.namespace_id()
        ),
    ] {
        assert!(source.contains(&expected), "{expected}: {source}");
    }
}

#[test]
fn escapes_text_for_rust() {
    let text = repository_file().replace("\"Driv.ly\"", r#""a \"quoted\" \\ name""#);
    let source = AccountFile::parse(&text).expect("any name is valid").to_rust();
    assert!(source.contains(r#"= "a \"quoted\" \\ name";"#), "{source}");
}

#[test]
fn names_the_path_of_an_invalid_value() {
    for (from, to, expected) in [
        (
            "b6641681fe423910342b9ffa1364c76d",
            "<account id>",
            "account.id is \"<account id>\"",
        ),
        ("b6641681", "B6641681", "account.id"),
        ("Driv.ly", " ", "account.name"),
        ("\"prod\"", "\"-prod\"", "namespaces.production.name is \"-prod\""),
        (
            "\"stag\"",
            "\"prod\"",
            "namespaces.staging.name is \"prod\", as namespaces.production.name is",
        ),
        (
            "\"stag\"",
            "\"account\"",
            "namespaces.staging.name is \"account\": write another name",
        ),
        ("-000000000001", "", "namespaces.production.id"),
        ("-000000000003", "-000000000001", "namespaces.development.id"),
        ("-000000000003", "-000000000003-", "namespaces.development.id"),
        ("\"dispatcher\"", "\"Dispatcher\"", "workers.dispatch"),
        ("\"deploy-api\"", "\"dispatcher\"", "workers.deploy_api"),
        ("\"logs\" }", "\"deploy-api\" }", "workers.logs"),
        ("\"agents.do\"", "\"agents.do/*\"", "zones[0] is \"agents.do/*\""),
        ("\"apis.do\"", "\"https://apis.do\"", "zones[1]"),
        ("\"apis.do\"", "\"do\"", "zones[1]"),
        (
            "\"apis.do\"",
            "\"agents.do\"",
            "zones[1] is \"agents.do\", as zones[0] is",
        ),
        ("customers.example", "*.customers.example", "custom_hostname_zone"),
        ("customers.example", "agents.do", "custom_hostname_zone"),
        ("https://docs", "http://docs", "errors_page"),
        ("/errors", "/errors#top", "errors_page"),
    ] {
        let problems = problems(from, to);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(expected), "{expected}: {problems:?}");
    }
}

#[test]
fn reports_all_invalid_values_at_once() {
    let text = repository_file()
        .replace("dotdo-staging", "Staging")
        .replace("https://", "");
    let problems = AccountFile::parse(&text).expect_err("two values are invalid");
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn names_an_unknown_or_missing_member() {
    for (from, to, expected) in [
        ("\"zones\"", "\"zone\"", "unknown field `zone`"),
        (
            "\"account\": { \"id\"",
            "\"account\": { \"ids\"",
            "unknown field `ids`",
        ),
        ("\"staging\"", "\"qa\"", "unknown field `qa`"),
        (
            "\"errors_page\": \"https://docs.example/errors\",",
            "",
            "missing field `errors_page`",
        ),
        (
            "[\"agents.do\", \"apis.do\"]",
            "\"agents.do\"",
            "invalid type: string \"agents.do\", expected a sequence",
        ),
        ("\"zones\"", "\"zones\": [], \"zones\"", "duplicate field `zones`"),
        ("\"workers\"", "workers", "line 8"),
    ] {
        let problems = problems(from, to);
        assert!(problems[0].contains(expected), "{expected}: {problems:?}");
    }
}
