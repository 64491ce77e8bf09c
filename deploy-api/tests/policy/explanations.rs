//! Explanations of denials: sentences that each fit in a line of a terminal.

use deploy_api::identity::{GitHubRun, Identity};
use deploy_api::policy::{Action, Caller, Decision, Policy, Request, Scope};
use dotdo_names::Environment;
use serde_json::{Value, json};

use crate::support::callers::{caller, grant, person, run, target};
use crate::support::rules::{alice, policy, production, with};

/// The maximum length of a line, in characters, for claims of any length.
const TERMINAL: usize = 200;

fn lines(policy: &Policy, caller: &Caller, request: &Request) -> Vec<String> {
    let Decision::Denied(explanation) = policy.decide(caller, request) else {
        panic!("expected a denial")
    };
    let lines = explanation.lines();
    assert!(
        lines.iter().all(|line| line.chars().count() <= TERMINAL),
        "{lines:?}"
    );
    lines
}

fn deploy(environment: Environment, worker: &str) -> Request {
    Request::worker(Action::Deploy, target(environment, worker))
}

fn run_with(change: impl FnOnce(&mut GitHubRun)) -> Caller {
    let mut run = run();
    change(&mut run);
    caller(run)
}

#[test]
fn each_claim_that_does_not_match_is_named() {
    let denied = run_with(|run| {
        run.git_ref = "refs/heads/feature".to_owned();
        run.environment = None;
    });
    assert_eq!(
        lines(
            &policy(&[alice(), production()]),
            &denied,
            &deploy(Environment::Production, "agents")
        ),
        [
            "drivly/agents at refs/heads/feature (run 42) may not deploy agents in dotdo-production.",
            "Rule \"agents-production\" expects ref refs/heads/main; the run has refs/heads/feature.",
            "Rule \"agents-production\" expects environment production; the run has none.",
        ]
    );
}

#[test]
fn each_part_of_a_request_that_a_rule_does_not_cover_is_named() {
    assert_eq!(
        lines(
            &policy(&[production()]),
            &caller(run()),
            &Request::worker(Action::Delete, target(Environment::Staging, "billing"))
        ),
        [
            "drivly/agents at refs/heads/main (run 42) may not delete billing in dotdo-staging.",
            "Rule \"agents-production\" is for dotdo-production only.",
            "Rule \"agents-production\" is for the Workers agents, agents-* only.",
            "Rule \"agents-production\" allows read, deploy only.",
        ]
    );
}

#[test]
fn the_three_rules_with_the_fewest_mismatches_are_shown() {
    let far = with(
        with(production(), "/name", json!("far")),
        "/who/github/ref",
        json!(["refs/heads/release", "refs/tags/v*"]),
    );
    let farther = with(
        with(far.clone(), "/name", json!("farther")),
        "/who/github/environment",
        json!("live"),
    );
    let farthest = with(
        with(farther.clone(), "/name", json!("farthest")),
        "/actions",
        json!(["read"]),
    );
    let near = with(
        with(production(), "/name", json!("near")),
        "/workers",
        json!(["agents-*"]),
    );
    let found = lines(
        &policy(&[farthest, farther, near, far]),
        &caller(run()),
        &deploy(Environment::Production, "agents"),
    );
    let rules: Vec<_> = found
        .iter()
        .skip(1)
        .filter_map(|line| line.split('"').nth(1))
        .collect();
    assert_eq!(rules, ["near", "far", "farther", "farther"]);
    assert_eq!(
        found[2],
        "Rule \"far\" expects ref refs/heads/release or refs/tags/v*; the run has refs/heads/main."
    );
}

#[test]
fn an_unknown_caller_is_not_shown_the_rules() {
    let stranger = run_with(|run| {
        run.repository = "mallory/x".to_owned();
        run.repository_id = "666".to_owned();
        run.repository_owner_id = "667".to_owned();
    });
    assert_eq!(
        lines(
            &policy(&[alice(), production()]),
            &stranger,
            &deploy(Environment::Production, "agents")
        ),
        [
            "mallory/x at refs/heads/main (run 42) may not deploy agents in dotdo-production.",
            "The policy has no rule for mallory/x.",
            "A rule for it must have repository_id \"666\" and repository_owner_id \"667\".",
        ]
    );
    assert_eq!(
        lines(
            &policy(&[alice()]),
            &person("bob"),
            &deploy(Environment::Staging, "agents")
        ),
        [
            "The API token of bob may not deploy agents in dotdo-staging.",
            "The policy has no rule for the subject of the token, \"bob\".",
        ]
    );
}

#[test]
fn the_owner_of_a_repository_that_was_created_again_is_shown_the_new_id() {
    let recreated = run_with(|run| run.repository_id = "1002".to_owned());
    assert_eq!(
        lines(
            &policy(&[production()]),
            &recreated,
            &deploy(Environment::Production, "agents")
        ),
        [
            "drivly/agents at refs/heads/main (run 42) may not deploy agents in dotdo-production.",
            "Rule \"agents-production\" expects repository_id 1001; the run has 1002.",
        ]
    );
}

#[test]
fn an_administrator_is_shown_every_rule() {
    let Decision::Denied(explanation) =
        policy(&[alice()]).explain(&person("bob"), &deploy(Environment::Staging, "agents"))
    else {
        panic!("expected a denial")
    };
    assert_eq!(
        explanation.lines(),
        [
            "The API token of bob may not deploy agents in dotdo-staging.",
            "The policy has no rule for the subject of the token, \"bob\".",
            "Rule \"alice\" applies to API tokens of alice.",
        ]
    );
    assert_eq!(
        serde_json::to_value(&*explanation).unwrap()["rules"],
        json!([{ "rule": "alice", "obstacles": [{ "identity": "API tokens of alice" }] }])
    );
}

#[test]
fn names_that_differ_only_in_case_match_and_the_explanation_says_so() {
    let renamed = run_with(|run| {
        run.repository = "Drivly/agents".to_owned();
        run.environment = Some("Production".to_owned());
    });
    let rules = policy(&[production()]);
    let request = deploy(Environment::Production, "agents");
    assert!(rules.decide(&renamed, &request).is_allowed());
    let mut branch = renamed;
    if let Identity::GithubRun(run) = &mut branch.identity {
        run.git_ref = "refs/heads/Main".to_owned();
    }
    assert_eq!(
        lines(&rules, &branch, &request),
        [
            "Drivly/agents at refs/heads/Main (run 42) may not deploy agents in dotdo-production.",
            "Rule \"agents-production\" expects ref refs/heads/main; the run has refs/heads/Main, which differs in case.",
            "Rule \"agents-production\" has repository drivly/agents, and the run has Drivly/agents: the case is ignored.",
            "Rule \"agents-production\" has environment production, and the run has Production: the case is ignored.",
        ]
    );
    let other_id = run_with(|run| {
        run.repository = "Drivly/agents".to_owned();
        run.repository_id = "1002".to_owned();
    });
    assert!(!rules.decide(&other_id, &request).is_allowed(), "the ids decide");
}

#[test]
fn a_run_that_no_rule_is_about_is_told_so_without_missing_words() {
    let none = run_with(|run| {
        for claim in [
            &mut run.repository,
            &mut run.repository_id,
            &mut run.repository_owner_id,
            &mut run.git_ref,
            &mut run.run_id,
        ] {
            claim.clear();
        }
    });
    let request = deploy(Environment::Production, "agents");
    assert_eq!(
        lines(&policy(&[production()]), &none, &request),
        [
            "A GitHub run may not deploy agents in dotdo-production.",
            "The run has neither a repository nor a repository_id, so no rule applies to it.",
            "A rule for a run must have its repository_id and its repository_owner_id.",
        ]
    );
    let only_ids = run_with(|run| {
        run.repository.clear();
        run.repository_id = "666".to_owned();
        run.run_id.clear();
    });
    let Decision::Denied(explanation) = policy(&[production()]).explain(&only_ids, &request) else {
        panic!("expected a denial")
    };
    assert_eq!(
        explanation.lines(),
        [
            "The repository with the id 666 at refs/heads/main may not deploy agents in dotdo-production.",
            "The policy has no rule for the repository with the id 666.",
            "A rule for it must have repository_id \"666\" and repository_owner_id \"2002\".",
            "Rule \"agents-production\" expects repository_id 1001; the run has 666.",
            "Rule \"agents-production\" expects repository drivly/agents; the run has none.",
        ]
    );
}

#[test]
fn other_causes_are_explained() {
    let stranger = run_with(|run| run.event_name = "pull_request_target".to_owned());
    assert_eq!(
        lines(
            &policy(&[production()]),
            &stranger,
            &deploy(Environment::Production, "agents")
        ),
        [
            "drivly/agents at refs/heads/main (run 42) may not deploy agents in dotdo-production.",
            "Runs of the event pull_request_target are never allowed in production.",
        ]
    );
    let mut bound = person("alice");
    bound.scope = Scope::Grants(vec![grant(&["dotdo-staging"], &["agents"], &["read"])]);
    assert_eq!(
        lines(
            &policy(&[alice()]),
            &bound,
            &deploy(Environment::Staging, "agents")
        ),
        [
            "The API token of alice may not deploy agents in dotdo-staging.",
            "Rule \"alice\" allows this, but the token is limited to:",
            "  read agents in dotdo-staging",
        ]
    );
    let bootstrap = Caller {
        identity: Identity::BootstrapAdministrator,
        token: None,
        scope: Scope::Policy,
    };
    assert_eq!(
        lines(
            &Policy::default(),
            &bootstrap,
            &deploy(Environment::Staging, "agents")
        ),
        [
            "The bootstrap administrator may not deploy agents in dotdo-staging.",
            "It may only read and administer: add a rule for a subject, create an API token for the subject, and use the token.",
        ]
    );
}

#[test]
fn a_denied_deploy_token_is_explained() {
    let explain = |rules: &[Value]| {
        policy(rules)
            .bind(&Identity::GithubRun(Box::new(run())))
            .unwrap_err()
            .lines()
    };
    assert_eq!(
        explain(&[alice()]),
        [
            "drivly/agents at refs/heads/main (run 42) may not get a deploy token.",
            "The policy has no rule for drivly/agents.",
            "A rule for it must have repository_id \"1001\" and repository_owner_id \"2002\".",
        ]
    );
    assert_eq!(
        explain(&[with(production(), "/who/github/ref", json!("refs/heads/release"))])[1],
        "Rule \"agents-production\" expects ref refs/heads/release; the run has refs/heads/main."
    );
}

#[test]
fn long_claims_are_shortened_and_control_characters_are_replaced() {
    let hostile = run_with(|run| {
        run.git_ref = format!("refs/heads/{}\u{1b}[31m\nend", "x".repeat(300));
        run.environment = Some("y".repeat(300));
    });
    let found = lines(
        &policy(&[production()]),
        &hostile,
        &deploy(Environment::Production, "agents"),
    );
    assert!(
        found
            .iter()
            .all(|line| !line.contains('\n') && !line.contains('\u{1b}')),
        "{found:?}"
    );
    assert!(
        found[1].ends_with("xxxxxxxxxxxxxxxxxxxx\u{fffd}[31m\u{fffd}end."),
        "{found:?}"
    );
}
