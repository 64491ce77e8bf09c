//! Namespaces, Workers and actions.

use serde_json::json;

use super::error_of;
use crate::support::rules::{alice, with};

#[test]
fn a_grant_is_about_something_that_exists() {
    for (path, value, error) in [
        (
            "/namespaces",
            json!([]),
            "\"namespaces\" is an empty list; name at least one, or remove the rule",
        ),
        (
            "/workers",
            json!([]),
            "\"workers\" is an empty list; name at least one, or remove the rule",
        ),
        (
            "/actions",
            json!([]),
            "\"actions\" is an empty list; name at least one, or remove the rule",
        ),
        (
            "/namespaces",
            json!(["production"]),
            "\"production\" is no namespace; write dotdo-production",
        ),
        (
            "/namespaces",
            json!(["dev"]),
            "\"dev\" is no namespace; write dotdo-development",
        ),
        (
            "/namespaces",
            json!(["*"]),
            "\"*\" is no namespace; write dotdo-production, dotdo-staging, dotdo-development",
        ),
        (
            "/workers",
            json!(["agent*"]),
            "\"agent*\" in \"workers\" is no pattern: a '*' follows a '-': write 'agent-*', and 'agent' as a pattern of \
             its own if it is meant too",
        ),
        (
            "/workers",
            json!(["*-agents"]),
            "\"*-agents\" in \"workers\" is no pattern: a '*' stands only at the end: write 'prefix-*'",
        ),
        (
            "/workers",
            json!(["Agents"]),
            "\"Agents\" in \"workers\" is no pattern: no Worker can have such a name: a Worker name must \
             contain only a-z, 0-9 and '-'",
        ),
        (
            "/workers",
            json!(["staging"]),
            "\"staging\" in \"workers\" is no pattern: no Worker can have such a name: a Worker name must \
             not be 'staging', 'dev' or 'development', which select an environment",
        ),
        (
            "/actions",
            json!(["admin"]),
            "\"admin\" holds for the whole platform; list every namespace and the Workers \"*\", or remove it",
        ),
    ] {
        assert_eq!(
            error_of(with(alice(), path, value)),
            format!("rule \"alice\": {error}")
        );
    }
}
