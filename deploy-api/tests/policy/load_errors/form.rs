//! Errors in the format of the document and of a rule.

use deploy_api::policy::{MAX_POLICY, MAX_RULES, Policy};
use serde_json::{Value, json};

use super::{error_of, errors};
use crate::support::rules::{alice, document, production, with};

#[test]
fn unknown_and_duplicate_members_of_the_document_are_rejected() {
    for (document, error) in [
        (
            "",
            "the policy cannot be read: EOF while parsing a value at line 1 column 0",
        ),
        (
            "[]",
            "the policy cannot be read: invalid length 0, expected an object with \"version\" and \"rules\" at line 1 column 2",
        ),
        (
            "{}",
            "the policy cannot be read: missing field `version` at line 1 column 2",
        ),
        (
            r#"{"version": 1, "rules": [], "rule": []}"#,
            "the policy cannot be read: unknown field `rule`, expected one of `$schema`, `version`, `rules` \
             at line 1 column 34",
        ),
        (
            r#"{"version": 1, "rules": [], "rules": []}"#,
            "the policy cannot be read: duplicate field `rules` at line 1 column 35",
        ),
        (
            r#"{"version": 2, "rules": []}"#,
            "\"version\" is 2; this deploy API supports version 1",
        ),
    ] {
        assert_eq!(errors(document), [error], "{document}");
    }
    assert!(Policy::load(r#"{"$schema": "https://…", "version": 1, "rules": []}"#).is_ok());
}

#[test]
fn a_policy_has_a_maximum_length_and_a_maximum_number_of_rules() {
    let long = format!("{{\"version\": 1, \"rules\": []{}}}", " ".repeat(MAX_POLICY));
    assert!(
        errors(&long)[0].starts_with("the policy has 262171 bytes; the maximum is 262144"),
        "{:?}",
        errors(&long)
    );
    let many = format!("{{\"version\": 1, \"rules\": [{}0]}}", "0,".repeat(MAX_RULES));
    assert!(errors(&many)[0].starts_with("the policy has 1001 rules; the maximum is 1000"));
}

#[test]
fn an_invalid_rule_is_rejected() {
    for (rule, error) in [
        (
            json!(7),
            "rule number 1: cannot be read: invalid type: integer `7`, expected an object (line 1)",
        ),
        (
            with(alice(), "/worker", json!(["agents"])),
            "rule \"alice\": cannot be read: unknown field `worker`, expected one of `name`, `description`, `who`, \
             `namespaces`, `workers`, `actions` (line 1)",
        ),
        (
            with(alice(), "/actions", json!(["publish"])),
            "rule \"alice\": cannot be read: unknown variant `publish`, expected one of `read`, `logs`, `deploy`, `delete`, \
             `secrets`, `rollback`, `promote`, `lock`, `admin` (line 1)",
        ),
        (
            with(alice(), "/name", Value::Null),
            "rule number 1: cannot be read: missing field `name` (line 1)",
        ),
        (
            with(alice(), "/name", json!("Alice!")),
            "rule number 1: \"Alice!\" is not a valid rule name; use 1 to 64 characters of a-z, 0-9 and '-', starting with a letter",
        ),
        (
            with(alice(), "/name", json!("bootstrap-administrator")),
            "rule number 1: the rule name \"bootstrap-administrator\" is reserved for the bootstrap secret",
        ),
        (
            with(alice(), "/who", json!({ "jenkins": {} })),
            "rule \"alice\": cannot be read: unknown variant `jenkins`, expected one of `github`, `gitlab`, `buildkite`, `token` (line 1)",
        ),
        (
            with(alice(), "/who", json!({ "token": "Alice" })),
            "rule \"alice\": \"Alice\" is not a valid subject: use 1 to 64 characters of a-z, 0-9 and . _ - @, starting \
             with a letter or a digit",
        ),
        (
            with(alice(), "/who", json!({ "token": [] })),
            "rule \"alice\": \"token\" is an empty list; add at least one value, or remove it",
        ),
    ] {
        assert_eq!(error_of(rule), error);
    }
}

#[test]
fn an_error_has_the_line_number_of_the_document() {
    let text = "{\n  \"version\": 1,\n  \"rules\": [\n    7,\n    {\n      \"name\": 7\n    }\n  ]\n}";
    assert_eq!(
        errors(text),
        [
            "rule number 1: cannot be read: invalid type: integer `7`, expected an object (line 4)",
            "rule number 2: cannot be read: invalid type: integer `7`, expected a string (line 6)",
        ]
    );
}

#[test]
fn rule_names_must_be_unique() {
    assert_eq!(
        errors(&document(&[alice(), production(), alice()])),
        [
            "rule \"alice\" (number 3): an earlier rule has the same name; rule names must be unique, because decisions \
             refer to them"
        ]
    );
}

#[test]
fn all_errors_are_reported_together() {
    let bad = with(
        with(production(), "/workers", json!(["A", "b*"])),
        "/who/github/repository_id",
        Value::Null,
    );
    let found = errors(&document(&[bad, with(alice(), "/namespaces", json!(["x", "y"]))]));
    assert_eq!(found.len(), 5, "{found:?}");
}
