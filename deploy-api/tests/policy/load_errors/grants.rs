//! Errors in the namespaces, Workers and actions of a rule.

use serde_json::json;

use super::error_of;
use crate::support::rules::{alice, with};

#[test]
fn an_invalid_grant_is_rejected() {
    for (path, value, error) in [
        (
            "/namespaces",
            json!([]),
            "\"namespaces\" is an empty list; add at least one entry, or remove the rule",
        ),
        (
            "/workers",
            json!([]),
            "\"workers\" is an empty list; add at least one entry, or remove the rule",
        ),
        (
            "/actions",
            json!([]),
            "\"actions\" is an empty list; add at least one entry, or remove the rule",
        ),
        (
            "/namespaces",
            json!(["production"]),
            "\"production\" is not a namespace; use dotdo-production",
        ),
        (
            "/namespaces",
            json!(["dev"]),
            "\"dev\" is not a namespace; use dotdo-development",
        ),
        (
            "/namespaces",
            json!(["*"]),
            "\"*\" is not a namespace; use one of dotdo-production, dotdo-staging, dotdo-development, account",
        ),
        (
            "/workers",
            json!(["agent*"]),
            "\"agent*\" in \"workers\" is not a valid pattern: '*' must follow a '-': write 'agent-*', and add the \
             pattern 'agent' if that name is meant too",
        ),
        (
            "/workers",
            json!(["*-agents"]),
            "\"*-agents\" in \"workers\" is not a valid pattern: '*' is only allowed at the end: write 'prefix-*'",
        ),
        (
            "/workers",
            json!(["Agents"]),
            "\"Agents\" in \"workers\" is not a valid pattern: no Worker can have this name: a Worker name must \
             contain only a-z, 0-9 and '-'",
        ),
        (
            "/workers",
            json!(["staging"]),
            "\"staging\" in \"workers\" is not a valid pattern: no Worker can have this name: a Worker name must \
             not be 'staging', 'dev' or 'development', which select an environment",
        ),
        (
            "/actions",
            json!(["admin"]),
            "\"admin\" applies to the whole platform; list every namespace and the Workers \"*\", or remove \"admin\"",
        ),
    ] {
        assert_eq!(
            error_of(with(alice(), path, value)),
            format!("rule \"alice\": {error}")
        );
    }
}
