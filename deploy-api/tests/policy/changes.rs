//! The difference between two policies.

use deploy_api::identity::GitHubRun;
use deploy_api::policy::{Action, Caller, Change, Policy, Request};
use dotdo_names::Environment;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::callers::{caller, person, run, target};
use crate::support::rules::{alice, policy, production, with};

fn sentences(changes: &[Change]) -> Vec<String> {
    changes.iter().map(ToString::to_string).collect()
}

fn changes(old: &[Value], new: &[Value]) -> (Vec<String>, Vec<String>) {
    let changes = policy(old).changes_to(&policy(new));
    (sentences(&changes.allowed), sentences(&changes.forbidden))
}

const NONE: [&str; 0] = [];

#[test]
fn reordering_or_renaming_rules_changes_nothing() {
    let renamed = with(with(alice(), "/name", json!("a")), "/description", json!("x"));
    let (allowed, forbidden) = changes(&[alice(), production()], &[production(), renamed]);
    assert_eq!(
        (allowed.len(), forbidden.len()),
        (0, 0),
        "{allowed:?} {forbidden:?}"
    );
}

#[test]
fn another_case_of_a_name_changes_nothing() {
    let other_case = with(production(), "/who/github/environment", json!("Production"));
    assert_eq!(
        changes(&[production()], &[other_case]),
        (Vec::<String>::new(), Vec::<String>::new())
    );
}

#[test]
fn adding_a_rule_allows_and_removing_a_rule_forbids() {
    let sentence = "API tokens of alice may read, deploy, lock agents in dotdo-staging (rule \"alice\")";
    assert_eq!(changes(&[], &[alice()]), (vec![sentence.to_owned()], vec![]));
    assert_eq!(changes(&[alice()], &[]), (vec![], vec![sentence.to_owned()]));
}

#[test]
fn only_the_difference_is_reported() {
    let wider = with(
        with(
            with(production(), "/actions", json!(["deploy", "delete"])),
            "/workers",
            json!(["agents", "agents-*", "mail"]),
        ),
        "/who/github/ref",
        json!(["refs/heads/main", "refs/tags/v*"]),
    );
    let (allowed, forbidden) = changes(&[production()], &[wider]);
    let ids = "repository_id 1001, repository_owner_id 2002, repository drivly/agents";
    assert_eq!(
        allowed,
        [
            format!(
                "GitHub runs with {ids}, ref refs/heads/main, environment production may delete agents, agents-* in \
                 dotdo-production (rule \"agents-production\")"
            ),
            format!(
                "GitHub runs with {ids}, ref refs/heads/main, environment production may deploy, delete mail in \
                 dotdo-production (rule \"agents-production\")"
            ),
            format!(
                "GitHub runs with {ids}, ref refs/tags/v*, environment production may deploy, delete agents, mail, \
                 agents-* in dotdo-production (rule \"agents-production\")"
            ),
        ]
    );
    assert_eq!(
        forbidden,
        [format!(
            "GitHub runs with {ids}, ref refs/heads/main, environment production may read agents, agents-* in \
             dotdo-production (rule \"agents-production\")"
        )]
    );
}

#[test]
fn removing_a_condition_allows_and_adding_a_condition_forbids() {
    let looser = with(production(), "/who/github/environment", Value::Null);
    let (allowed, forbidden) = changes(&[production()], std::slice::from_ref(&looser));
    assert_eq!((allowed.len(), forbidden.len()), (1, 0));
    let (allowed, forbidden) = changes(&[looser], &[production()]);
    assert_eq!((allowed.len(), forbidden.len()), (0, 1));
}

#[test]
fn splitting_a_list_into_several_rules_changes_nothing() {
    let both = with(alice(), "/who/token", json!(["alice", "bob"]));
    let bob = with(with(alice(), "/name", json!("bob")), "/who/token", json!("bob"));
    let (allowed, forbidden) = changes(&[both], &[alice(), bob]);
    assert_eq!(
        (sentences_of(&allowed), sentences_of(&forbidden)),
        (NONE.to_vec(), NONE.to_vec())
    );
}

fn sentences_of(sentences: &[String]) -> Vec<&str> {
    sentences.iter().map(String::as_str).collect()
}

#[test]
fn splitting_a_platform_rule_by_namespace_forbids_the_platform() {
    let all = json!(["dotdo-production", "dotdo-staging", "dotdo-development"]);
    let whole = with(with(alice(), "/workers", json!(["*"])), "/namespaces", all);
    let part = |name: &str| {
        with(
            with(whole.clone(), "/name", json!(name)),
            "/namespaces",
            json!([format!("dotdo-{name}")]),
        )
    };
    let (allowed, forbidden) = changes(
        std::slice::from_ref(&whole),
        &[part("production"), part("staging"), part("development")],
    );
    assert_eq!(allowed, NONE);
    assert_eq!(forbidden.len(), 1, "{forbidden:?}");
}

fn rule(index: usize) -> impl Strategy<Value = Value> {
    let some = |values: &'static [&'static str]| proptest::sample::subsequence(values, 1..=values.len());
    let claims = (
        some(&["1001", "1002"]),
        some(&["refs/heads/main", "refs/heads/*", "refs/tags/v*", "refs/tags/v1"]),
        proptest::option::of(some(&["production", "live"])),
    );
    let who = prop_oneof![
        claims.prop_map(|(ids, refs, environments)| {
            let mut claims = json!({ "repository_id": ids, "repository_owner_id": "2002", "ref": refs });
            if let Some(environments) = environments {
                claims["environment"] = json!(environments);
            }
            json!({ "github": claims })
        }),
        some(&["alice", "bob"]).prop_map(|subjects| json!({ "token": subjects })),
    ];
    (
        who,
        some(&["dotdo-staging", "dotdo-development"]),
        some(&["agents", "agents-*", "agents-a-*", "*"]),
        some(&["read", "deploy", "lock"]),
    )
        .prop_map(move |(who, namespaces, workers, actions)| {
            json!({
                "name": format!("r{index}"), "who": who, "namespaces": namespaces, "workers": workers, "actions": actions
            })
        })
}

fn any_policy() -> impl Strategy<Value = Policy> {
    (
        proptest::option::of(rule(0)),
        proptest::option::of(rule(1)),
        proptest::option::of(rule(2)),
    )
        .prop_map(|(a, b, c)| policy(&[a, b, c].into_iter().flatten().collect::<Vec<_>>()))
}

fn all_callers() -> Vec<Caller> {
    let mut callers = vec![person("alice"), person("bob")];
    for id in ["1001", "1002", "1003"] {
        for git_ref in ["refs/heads/main", "refs/heads/x", "refs/tags/v1", "refs/tags/v2"] {
            for environment in [None, Some("production"), Some("live")] {
                callers.push(caller(GitHubRun {
                    repository_id: id.to_owned(),
                    git_ref: git_ref.to_owned(),
                    environment: environment.map(str::to_owned),
                    ..run()
                }));
            }
        }
    }
    callers
}

fn all_requests() -> Vec<Request> {
    let mut requests = Vec::new();
    for action in [Action::Read, Action::Deploy, Action::Lock] {
        for environment in [Environment::Staging, Environment::Development] {
            for worker in ["agents", "agents-a", "agents-a-b", "other"] {
                requests.push(Request::worker(action, target(environment, worker)));
            }
            requests.push(Request::namespace(action, environment));
        }
    }
    requests
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_difference_contains_everything_that_becomes_allowed_or_forbidden(old in any_policy(), new in any_policy()) {
        let changes = old.changes_to(&new);
        for caller in all_callers() {
            for request in all_requests() {
                let before = old.decide(&caller, &request).is_allowed();
                let after = new.decide(&caller, &request).is_allowed();
                let reported = |changes: &[Change]| {
                    changes.iter().any(|change| change.is_about(&caller.identity, &request))
                };
                prop_assert!(before || !after || reported(&changes.allowed), "{:?} {}", caller.identity, request);
                prop_assert!(!before || after || reported(&changes.forbidden), "{:?} {}", caller.identity, request);
            }
        }
    }

    #[test]
    fn a_policy_does_not_differ_from_itself(policy in any_policy()) {
        let changes = policy.changes_to(&policy);
        prop_assert!(changes.allowed.is_empty() && changes.forbidden.is_empty());
    }
}
