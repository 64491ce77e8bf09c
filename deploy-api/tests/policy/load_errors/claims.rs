//! Errors in the claims of a rule.

use serde_json::{Value, json};

use super::{error_of, errors};
use crate::support::rules::{document, production, with};

#[test]
fn a_rule_for_github_must_have_both_ids() {
    for claim in ["repository_id", "repository_owner_id"] {
        assert_eq!(
            error_of(with(production(), &format!("/who/github/{claim}"), Value::Null)),
            format!(
                "rule \"agents-production\": \"{claim}\" is missing; add it (see `gh api repos/OWNER/NAME --jq '.id, \
                 .owner.id'`), because a name can be transferred"
            )
        );
    }
    assert_eq!(
        error_of(with(
            production(),
            "/who/github/repository_id",
            json!("drivly/agents")
        )),
        "rule \"agents-production\": \"repository_id\" is \"drivly/agents\"; write the numeric id as a string of \
         digits"
    );
    assert_eq!(
        error_of(with(production(), "/who/github/repository_id", json!(1001))),
        "rule \"agents-production\": cannot be read: invalid type: integer `1001`, expected a string (ids too) or a list \
         of strings (line 1)"
    );
}

#[test]
fn a_claim_that_is_null_is_rejected() {
    let text = document(&[production()]).replace("\"refs/heads/main\"", "null");
    assert_eq!(
        errors(&text),
        [
            "rule \"agents-production\": cannot be read: invalid type: null, expected a string (ids too) or a list of strings (line 1)"
        ]
    );
}

#[test]
fn a_duplicate_claim_is_rejected() {
    let text = document(&[production()]).replace("\"ref\":", "\"ref\": \"refs/heads/x\", \"ref\":");
    assert!(
        errors(&text)[0].starts_with("rule \"agents-production\": cannot be read: duplicate field `ref`")
    );
}

#[test]
fn the_claim_sub_cannot_be_matched() {
    let rule = with(
        production(),
        "/who/github/sub",
        json!("repo:drivly/agents:ref:refs/heads/main"),
    );
    assert!(error_of(rule).contains("unknown field `sub`, expected one of `issuer`, `repository_id`"));
}

#[test]
fn only_refs_can_be_patterns() {
    for claim in [
        "repository",
        "environment",
        "workflow_ref",
        "job_workflow_ref",
        "event_name",
        "actor",
        "issuer",
    ] {
        assert_eq!(
            error_of(with(production(), &format!("/who/github/{claim}"), json!("x*"))),
            format!(
                "rule \"agents-production\": \"{claim}\" is \"x*\"; only \"ref\" supports '*': write the exact value, \
                 or a list of exact values"
            )
        );
    }
    for bad in [
        "main",
        "*",
        "refs/*",
        "refs/heads/*/x",
        "refs/heads/**",
        "refs/heads/",
        "",
    ] {
        assert_eq!(
            error_of(with(production(), "/who/github/ref", json!(bad))),
            format!(
                "rule \"agents-production\": \"ref\" is {bad:?}; write a full ref such as 'refs/heads/main', or a \
                 prefix followed by one '*', such as 'refs/tags/v*'"
            )
        );
    }
}
