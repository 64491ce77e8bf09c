use deploy_api::identity::{GitHubRun, Identity};
use deploy_api::policy::{Action, Caller, Decision, Policy, Request, Scope};
use deploy_api::target::Target;
use dotdo_names::{Environment, Namespace, PLATFORM_WORKERS, WorkerName};
use serde_json::{Value, json};

use crate::support::callers::{caller, grant, person, run, target};
use crate::support::rules::{alice, operators, policy, production, with};

fn deploy(environment: Environment, worker: &str) -> Request {
    Request::worker(Action::Deploy, target(environment, worker))
}

fn allows(policy: &Policy, caller: &Caller, request: &Request) -> bool {
    policy.decide(caller, request).is_allowed()
}

/// [`run`] with one change.
fn run_with(change: impl FnOnce(&mut GitHubRun)) -> Caller {
    let mut run = run();
    change(&mut run);
    caller(run)
}

#[test]
fn nothing_is_allowed_by_default() {
    for action in Action::ALL {
        for request in [
            Request::worker(action, target(Environment::Development, "agents")),
            Request::namespace(action, Environment::Development),
            Request::platform(action),
        ] {
            assert!(!allows(&Policy::default(), &caller(run()), &request), "{request}");
            assert!(
                !allows(&Policy::default(), &person("alice"), &request),
                "{request}"
            );
        }
    }
}

#[test]
fn a_rule_allows_its_requests_and_the_decision_names_it() {
    let policy = policy(&[alice(), production()]);
    let decision = policy.decide(&caller(run()), &deploy(Environment::Production, "agents-mail"));
    assert!(matches!(decision, Decision::Allowed { rule } if rule.as_str() == "agents-production"));
}

/// The rule of docs/deploy-api.md for the deploys of the platform itself.
fn platform_rule() -> Value {
    json!({
        "name": "platform", "namespaces": ["account"], "workers": ["dispatcher", "logs", "deploy-api"],
        "actions": ["read", "deploy"],
        "who": { "github": {
            "repository_id": "1001", "repository_owner_id": "2002", "ref": "refs/heads/main", "environment": "production",
            "workflow_ref": "drivly/agents/.github/workflows/deploy.yml@refs/heads/main",
        } },
    })
}

#[test]
fn only_the_named_workflow_deploys_the_platform() {
    let policy = policy(&[operators(), production(), platform_rule()]);
    let platform_worker = |worker: &str| Target::new(Namespace::Account, WorkerName::parse(worker).unwrap());
    let deploy = |worker: &str| Request::worker(Action::Deploy, platform_worker(worker));
    for worker in PLATFORM_WORKERS {
        assert!(allows(&policy, &caller(run()), &deploy(worker)), "{worker}");
        for action in Action::ALL {
            let request = Request::worker(action, platform_worker(worker));
            let is_granted = [Action::Read, Action::Deploy].contains(&action);
            assert_eq!(allows(&policy, &caller(run()), &request), is_granted, "{request}");
            // Every Worker of every environment is not the account.
            let everywhere = grant(
                &["dotdo-production", "dotdo-staging", "dotdo-development"],
                &["*"],
                &["read", "deploy"],
            );
            let limited = Caller {
                scope: Scope::Grants(vec![everywhere]),
                ..caller(run())
            };
            assert!(!allows(&policy, &limited, &request), "{request}");
            assert!(!allows(&policy, &person("ops"), &request), "{request}");
        }
    }
    let workflow = "drivly/agents/.github/workflows/preview.yml@refs/heads/main";
    for (what, other) in [
        (
            "a branch",
            run_with(|run| run.git_ref = "refs/heads/next".to_owned()),
        ),
        ("a tag", run_with(|run| run.git_ref = "refs/tags/main".to_owned())),
        (
            "a pull request",
            run_with(|run| {
                run.git_ref = "refs/pull/12/merge".to_owned();
                run.event_name = "pull_request".to_owned();
            }),
        ),
        (
            "another workflow",
            run_with(|run| run.workflow_ref = workflow.to_owned()),
        ),
        (
            "a fork",
            run_with(|run| {
                run.repository = "mallory/agents".to_owned();
                run.repository_id = "9".to_owned();
            }),
        ),
        (
            "the preview environment",
            run_with(|run| run.environment = Some("preview".to_owned())),
        ),
        (
            "an event that anyone triggers",
            run_with(|run| run.event_name = "pull_request_target".to_owned()),
        ),
    ] {
        assert!(!allows(&policy, &other, &deploy("dispatcher")), "{what}");
    }
}

#[test]
fn every_condition_must_match() {
    let policy = policy(&[with(production(), "/who/github/event_name", json!("push"))]);
    let request = deploy(Environment::Production, "agents");
    assert!(allows(&policy, &caller(run()), &request));
    for (what, other) in [
        ("id", run_with(|run| run.repository_id = "9".to_owned())),
        ("owner", run_with(|run| run.repository_owner_id = "9".to_owned())),
        (
            "name",
            run_with(|run| run.repository = "mallory/agents".to_owned()),
        ),
        ("ref", run_with(|run| run.git_ref = "refs/heads/evil".to_owned())),
        (
            "prefix of the ref",
            run_with(|run| run.git_ref = "refs/heads/main-evil".to_owned()),
        ),
        (
            "environment",
            run_with(|run| run.environment = Some("production2".to_owned())),
        ),
        ("no environment", run_with(|run| run.environment = None)),
        (
            "event",
            run_with(|run| run.event_name = "pull_request".to_owned()),
        ),
        (
            "issuer",
            run_with(|run| run.issuer = "https://ghes.example/_services/token".to_owned()),
        ),
    ] {
        assert!(!allows(&policy, &other, &request), "{what}");
    }
}

#[test]
fn a_repository_with_the_same_name_and_another_id_does_not_match() {
    let policy = policy(&[production()]);
    let impostor = run_with(|run| {
        run.repository_id = "666".to_owned();
        run.repository_owner_id = "667".to_owned();
    });
    assert!(policy.bind(&Identity::GithubRun(Box::new(run()))).is_ok());
    assert!(policy.bind(&impostor.identity).is_err());
}

#[test]
fn a_list_matches_if_one_value_matches() {
    let policy = policy(&[with(
        production(),
        "/who/github/ref",
        json!(["refs/heads/main", "refs/tags/v*"]),
    )]);
    let request = deploy(Environment::Production, "agents");
    assert!(allows(&policy, &caller(run()), &request));
    assert!(allows(
        &policy,
        &run_with(|run| run.git_ref = "refs/tags/v2".to_owned()),
        &request
    ));
    assert!(!allows(
        &policy,
        &run_with(|run| run.git_ref = "refs/tags/x".to_owned()),
        &request
    ));
}

#[test]
fn pitfall_17_a_token_is_limited_to_its_workers_and_namespaces() {
    let policy = policy(&[alice(), production()]);
    for (environment, worker) in [
        (Environment::Staging, "agents"),
        (Environment::Production, "billing"),
        (Environment::Production, "agentsmith"),
    ] {
        assert!(
            !allows(&policy, &caller(run()), &deploy(environment, worker)),
            "{environment} {worker}"
        );
    }
    assert!(!allows(
        &policy,
        &person("alice"),
        &deploy(Environment::Production, "agents")
    ));
    assert!(!allows(
        &policy,
        &person("bob"),
        &deploy(Environment::Staging, "agents")
    ));
}

#[test]
fn no_rule_allows_events_that_anyone_can_trigger_in_production() {
    let everywhere = with(
        with(
            production(),
            "/namespaces",
            json!(["dotdo-production", "dotdo-staging", "dotdo-development"]),
        ),
        "/workers",
        json!(["*"]),
    );
    let policy = policy(&[with(everywhere, "/actions", json!(["read", "deploy", "admin"]))]);
    for event in ["pull_request_target", "issue_comment", "workflow_run"] {
        let stranger = run_with(|run| run.event_name = event.to_owned());
        for action in [Action::Read, Action::Deploy, Action::Admin] {
            assert!(!allows(&policy, &stranger, &Request::platform(action)), "{event}");
            assert!(
                !allows(
                    &policy,
                    &stranger,
                    &Request::namespace(action, Environment::Production)
                ),
                "{event}"
            );
        }
        assert!(
            !allows(&policy, &stranger, &deploy(Environment::Production, "agents")),
            "{event}"
        );
        assert!(
            allows(&policy, &stranger, &deploy(Environment::Staging, "agents")),
            "{event}"
        );
        for bound in policy.bind(&stranger.identity).unwrap() {
            assert_eq!(
                bound.grant,
                grant(
                    &["dotdo-staging", "dotdo-development"],
                    &["*"],
                    &["read", "deploy"]
                )
            );
        }
    }
}

#[test]
fn the_scope_of_a_token_limits_its_subject() {
    let policy = policy(&[alice()]);
    let mut bound = person("alice");
    bound.scope = Scope::Grants(vec![grant(&["dotdo-staging"], &["agents"], &["read"])]);
    let on = |action| Request::worker(action, target(Environment::Staging, "agents"));
    assert!(allows(&policy, &bound, &on(Action::Read)));
    assert!(!allows(&policy, &bound, &on(Action::Deploy)));
    bound.scope = Scope::Grants(Vec::new());
    assert!(!allows(&policy, &bound, &on(Action::Read)));
}

#[test]
fn a_token_loses_permissions_that_the_policy_no_longer_grants() {
    let mut bound = caller(run());
    bound.scope = Scope::Grants(vec![grant(&["dotdo-production"], &["agents"], &["deploy"])]);
    let request = deploy(Environment::Production, "agents");
    assert!(allows(&policy(&[production()]), &bound, &request));
    assert!(!allows(&policy(&[alice()]), &bound, &request));
}

#[test]
fn the_bootstrap_administrator_may_only_read_and_administer() {
    let bootstrap = Caller {
        identity: Identity::BootstrapAdministrator,
        token: None,
        scope: Scope::Policy,
    };
    let everything = with(
        with(
            with(alice(), "/workers", json!(["*"])),
            "/namespaces",
            json!(["dotdo-production", "dotdo-staging", "dotdo-development"]),
        ),
        "/actions",
        json!(Action::ALL.map(Action::name)),
    );
    for policy in [Policy::default(), policy(&[everything])] {
        for action in Action::ALL {
            let expected = matches!(action, Action::Read | Action::Admin);
            assert_eq!(
                allows(&policy, &bootstrap, &Request::platform(action)),
                expected,
                "{action}"
            );
        }
    }
}

#[test]
fn a_wider_resource_requires_a_wider_rule() {
    let namespace = |action| Request::namespace(action, Environment::Staging);
    let one = policy(&[alice()]);
    assert!(
        allows(&one, &person("alice"), &namespace(Action::Read)),
        "the number of Workers may be read"
    );
    assert!(!allows(&one, &person("alice"), &namespace(Action::Lock)));
    let all = policy(&[with(alice(), "/workers", json!(["*"]))]);
    assert!(allows(&all, &person("alice"), &namespace(Action::Lock)));
    assert!(!allows(&all, &person("alice"), &Request::platform(Action::Read)));
    let three: Value = json!(["dotdo-production", "dotdo-staging", "dotdo-development"]);
    let platform = policy(&[with(
        with(alice(), "/workers", json!(["*"])),
        "/namespaces",
        three,
    )]);
    assert!(allows(
        &platform,
        &person("alice"),
        &Request::platform(Action::Read)
    ));
    assert!(!allows(
        &platform,
        &person("alice"),
        &Request::platform(Action::Admin)
    ));
}
