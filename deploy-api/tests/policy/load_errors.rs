//! Every error names the rule and the fix.

use deploy_api::policy::{MAX_POLICY, MAX_RULES, Policy};
use serde_json::{Value, json};

use crate::support::rules::{alice, document, production, with};

fn errors(document: &str) -> Vec<String> {
    Policy::load(document)
        .unwrap_err()
        .0
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn error_of(rule: Value) -> String {
    let errors = errors(&document(&[rule]));
    assert_eq!(errors.len(), 1, "{errors:?}");
    errors.into_iter().next().unwrap()
}

#[test]
fn the_frame_is_strict() {
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
            "\"version\" is 2; this deploy API reads version 1",
        ),
    ] {
        assert_eq!(errors(document), [error], "{document}");
    }
    assert!(Policy::load(r#"{"$schema": "https://…", "version": 1, "rules": []}"#).is_ok());
}

#[test]
fn a_policy_has_a_size() {
    let long = format!("{{\"version\": 1, \"rules\": []{}}}", " ".repeat(MAX_POLICY));
    assert!(
        errors(&long)[0].starts_with("the policy has 262171 bytes; at most 262144 are read"),
        "{:?}",
        errors(&long)
    );
    let many = format!("{{\"version\": 1, \"rules\": [{}0]}}", "0,".repeat(MAX_RULES));
    assert!(errors(&many)[0].starts_with("the policy has 1001 rules; at most 1000 are read"));
}

#[test]
fn a_rule_is_strict() {
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
            "rule \"alice\": cannot be read: unknown variant `publish`, expected one of `read`, `deploy`, `delete`, \
             `secrets`, `rollback`, `promote`, `lock`, `admin` (line 1)",
        ),
        (
            with(alice(), "/name", Value::Null),
            "rule number 1: cannot be read: missing field `name` (line 1)",
        ),
        (
            with(alice(), "/name", json!("Alice!")),
            "rule number 1: \"Alice!\" is no name for a rule; write 1 to 64 of a-z, 0-9 and '-', beginning with a letter",
        ),
        (
            with(alice(), "/name", json!("bootstrap-administrator")),
            "rule number 1: a rule may not be called \"bootstrap-administrator\", which stands for the bootstrap secret",
        ),
        (
            with(alice(), "/who", json!({ "gitlab": {} })),
            "rule \"alice\": cannot be read: unknown variant `gitlab`, expected `github` or `token` (line 1)",
        ),
        (
            with(alice(), "/who", json!({ "token": "Alice" })),
            "rule \"alice\": \"Alice\" is no subject: write 1 to 64 of a-z, 0-9 and . _ - @, beginning with a letter or \
             a digit",
        ),
        (
            with(alice(), "/who", json!({ "token": [] })),
            "rule \"alice\": \"token\" is an empty list; name at least one, or remove it",
        ),
    ] {
        assert_eq!(error_of(rule), error);
    }
}

#[test]
fn a_mistake_is_found_by_its_line() {
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
fn names_are_unique() {
    assert_eq!(
        errors(&document(&[alice(), production(), alice()])),
        [
            "rule \"alice\" (number 3): an earlier rule has the same name; give each rule its own, as decisions cite it"
        ]
    );
}

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
            "\"Agents\" in \"workers\" is no pattern: no Worker can have such a name: a Worker's name has only a-z, 0-9 \
             and '-'",
        ),
        (
            "/workers",
            json!(["staging"]),
            "\"staging\" in \"workers\" is no pattern: no Worker can have such a name: 'staging', 'dev' and \
             'development' select an environment and are never a Worker's name",
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

#[test]
fn a_rule_for_github_names_both_ids() {
    for claim in ["repository_id", "repository_owner_id"] {
        assert_eq!(
            error_of(with(production(), &format!("/who/github/{claim}"), Value::Null)),
            format!(
                "rule \"agents-production\": \"{claim}\" is missing; add it (see `gh api repos/OWNER/NAME --jq '.id, \
                 .owner.id'`), as a name alone can change hands"
            )
        );
    }
    assert_eq!(
        error_of(with(
            production(),
            "/who/github/repository_id",
            json!("drivly/agents")
        )),
        "rule \"agents-production\": \"repository_id\" is \"drivly/agents\"; write the number that GitHub gives, as a \
         text of digits"
    );
    assert_eq!(
        error_of(with(production(), "/who/github/repository_id", json!(1001))),
        "rule \"agents-production\": cannot be read: invalid type: integer `1001`, expected a text in quotes (ids too) \
         or a list of such texts (line 1)"
    );
}

#[test]
fn a_claim_that_is_null_is_no_condition_that_holds_for_all() {
    let text = document(&[production()]).replace("\"refs/heads/main\"", "null");
    assert_eq!(
        errors(&text),
        [
            "rule \"agents-production\": cannot be read: invalid type: null, expected a text in quotes (ids too) or a list \
          of such texts (line 1)"
        ]
    );
}

#[test]
fn a_claim_that_stands_twice_is_refused() {
    let text = document(&[production()]).replace("\"ref\":", "\"ref\": \"refs/heads/x\", \"ref\":");
    assert!(
        errors(&text)[0].starts_with("rule \"agents-production\": cannot be read: duplicate field `ref`")
    );
}

#[test]
fn the_subject_of_an_oidc_token_is_never_matched() {
    let rule = with(
        production(),
        "/who/github/sub",
        json!("repo:drivly/agents:ref:refs/heads/main"),
    );
    assert!(error_of(rule).contains("unknown field `sub`, expected one of `issuer`, `repository`"));
}

#[test]
fn production_is_bound_to_a_ref_or_an_environment() {
    let neither = with(
        with(production(), "/who/github/ref", Value::Null),
        "/who/github/environment",
        Value::Null,
    );
    assert_eq!(
        error_of(neither),
        "rule \"agents-production\": covers dotdo-production for any ref and any environment; add \"ref\" (such as \
         \"refs/heads/main\") or \"environment\", best both"
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
fn events_that_strangers_cause_never_reach_production() {
    for event in ["pull_request_target", "issue_comment", "workflow_run"] {
        assert_eq!(
            error_of(with(
                production(),
                "/who/github/event_name",
                json!(["push", event])
            )),
            format!(
                "rule \"agents-production\": covers dotdo-production for the event \"{event}\", which never reaches \
                 production; remove it"
            )
        );
    }
}

#[test]
fn only_refs_take_a_pattern() {
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
                "rule \"agents-production\": \"{claim}\" is \"x*\"; only \"ref\" takes a '*': write the exact value, or \
                 a list of them"
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
                 literal prefix and one '*' at its end: 'refs/tags/v*'"
            )
        );
    }
}

#[test]
fn every_mistake_is_named_at_once() {
    let bad = with(
        with(production(), "/workers", json!(["A", "b*"])),
        "/who/github/repository_id",
        Value::Null,
    );
    let found = errors(&document(&[bad, with(alice(), "/namespaces", json!(["x", "y"]))]));
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn what_loads_and_is_likely_a_mistake_is_warned_of() {
    let warnings = |rule| {
        crate::support::rules::policy(&[rule])
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
          environment, unless GitHub restricts its branches"
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
