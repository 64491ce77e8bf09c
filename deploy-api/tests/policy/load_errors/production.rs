//! Errors in rules that cover production, and warnings about such rules.

use serde_json::{Value, json};

use super::error_of;
use crate::support::rules::{alice, policy, production, with};

#[test]
fn a_rule_for_production_must_have_a_ref_or_an_environment() {
    let neither = with(
        with(production(), "/who/github/ref", Value::Null),
        "/who/github/environment",
        Value::Null,
    );
    assert_eq!(
        error_of(neither),
        "rule \"agents-production\": covers dotdo-production for any ref and any environment; add \"ref\" (such as \
         \"refs/heads/main\") or \"environment\", preferably both"
    );
    let any_branch = with(
        with(
            production(),
            "/who/github/ref",
            json!(["refs/tags/v*", "refs/heads/*"]),
        ),
        "/who/github/environment",
        Value::Null,
    );
    assert_eq!(
        error_of(any_branch),
        "rule \"agents-production\": covers dotdo-production for \"refs/heads/*\"; name the branch or tag, or a longer \
         prefix such as \"refs/tags/v*\""
    );
}

#[test]
fn events_that_anyone_can_trigger_are_rejected_in_production() {
    for event in ["pull_request_target", "issue_comment", "workflow_run"] {
        assert_eq!(
            error_of(with(
                production(),
                "/who/github/event_name",
                json!(["push", event])
            )),
            format!(
                "rule \"agents-production\": covers dotdo-production for the event \"{event}\", which is never \
                 allowed in production; remove it"
            )
        );
    }
}

#[test]
fn a_valid_rule_that_is_probably_a_mistake_causes_a_warning() {
    let warnings = |rule| {
        policy(&[rule])
            .warnings()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(warnings(production()), [""; 0]);
    assert_eq!(warnings(alice()), [""; 0]);
    assert_eq!(
        warnings(with(production(), "/who/github/ref", Value::Null)),
        [
            "rule \"agents-production\" covers dotdo-production without \"ref\": a job on any branch can name the \
          environment, unless its branches are restricted"
        ]
    );
    assert_eq!(
        warnings(with(production(), "/who/github/environment", Value::Null)),
        [
            "rule \"agents-production\" covers dotdo-production without \"environment\": any job on that ref can deploy, \
          without the environment's reviewers"
        ]
    );
}
