//! Decisions, and the record of denials.

use deploy_api::audit;
use deploy_api::code::Code;
use deploy_api::policy::{Action, Request};
use deploy_api::store::policies;
use dotdo_names::Environment;
use serde_json::json;

use crate::support::api::Api;
use crate::support::callers::{caller, person, run, target};
use crate::support::rules::{alice, production};
use crate::support::time::at;

fn deploy() -> Request {
    Request::worker(Action::Deploy, target(Environment::Production, "billing"))
}

#[test]
fn a_denial_is_explained_and_recorded() {
    let api = Api::with_policy(&[production()]);
    let problem = api
        .request(|access| access.authorize(&caller(run()), &deploy(), audit::Action::Deploy))
        .unwrap_err();
    assert_eq!(problem.code, Code::PermissionDenied);
    assert_eq!(
        problem.detail,
        "drivly/agents at refs/heads/main (run 42) may not deploy billing in dotdo-production."
    );
    assert_eq!(
        problem.notes,
        ["Rule \"agents-production\" is for the Workers agents, agents-* only."]
    );
    let entry = api.last_entry();
    assert_eq!(
        (&entry["verb"], &entry["outcome"]),
        (&json!("deploy"), &json!("denied"))
    );
    assert_eq!(
        (&entry["namespace"], &entry["worker"]),
        (&json!("dotdo-production"), &json!("billing"))
    );
    assert_eq!(
        entry["reason"]["lines"],
        json!([problem.detail, problem.notes[0]])
    );
    assert_eq!(entry["authority"], json!({ "policy_version": 1 }));
}

#[test]
fn allowed_requests_are_recorded_only_with_their_outcome() {
    let api = Api::with_policy(&[alice()]);
    let request = Request::worker(Action::Deploy, target(Environment::Staging, "agents"));
    let allowed = api
        .request(|access| access.authorize(&person("alice"), &request, audit::Action::Deploy))
        .unwrap();
    assert_eq!((allowed.rule.as_str(), allowed.policy_version), ("alice", 1));
    assert!(
        !api.request(|access| access.may(&person("bob"), &request))
            .unwrap()
    );
    assert_eq!(api.record().len(), 0);
}

#[test]
fn a_request_is_denied_even_if_the_denial_cannot_be_recorded() {
    let api = Api::with_policy(&[production()]);
    api.sql.fail_at("INSERT INTO audit");
    let problem = api.request(|access| access.authorize(&caller(run()), &deploy(), audit::Action::Deploy));
    assert_eq!(problem.unwrap_err().code, Code::RecordUnavailable);
}

#[test]
fn a_stored_policy_that_does_not_load_denies_everyone_except_the_bootstrap_administrator() {
    let api = Api::new();
    policies::put(&api.sql, "{}", "a test", at(0)).unwrap();
    let admin = Request::platform(Action::Admin);
    let refused =
        api.request(|access| access.authorize(&person("alice"), &admin, audit::Action::PolicyChange));
    assert_eq!(refused.unwrap_err().code, Code::RecordUnavailable);
    let bootstrap = api.bootstrap();
    assert!(
        api.request(|access| access.authorize(&bootstrap, &admin, audit::Action::PolicyChange))
            .is_ok()
    );
}
