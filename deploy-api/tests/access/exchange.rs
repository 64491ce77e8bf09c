//! The exchange of the OIDC token of a run for a deploy token.

use deploy_api::code::Code;
use deploy_api::identity::{GitHubRun, Identity};
use deploy_api::ledger::calls::exchange::DEPLOY_TOKEN_USES;
use deploy_api::policy::{Action, Request, Scope};
use deploy_api::{audit, ledger::calls::tokens};
use dotdo_names::Environment;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::callers::{grant, run, target};
use crate::support::issuer::{claims, token};
use crate::support::rules::{alice, production, with};

fn api() -> Api {
    Api::with_policy(&[alice(), production()])
}

fn deploy_token(api: &Api) -> String {
    api.exchange(&token(&claims(&run()))).unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_run_gets_a_token_for_15_minutes_limited_to_its_rule() {
    let answer = api().exchange(&token(&claims(&run()))).unwrap();
    assert!(answer["token"].as_str().unwrap().starts_with("dotdo_run_"));
    assert_eq!(answer["expires"], "2027-01-15T08:15:01Z");
    assert_eq!(answer["uses"], DEPLOY_TOKEN_USES);
    assert_eq!(answer["rules"], json!(["agents-production"]));
    assert_eq!(
        answer["grants"],
        json!([{ "namespaces": ["dotdo-production"], "workers": ["agents", "agents-*"], "actions": ["read", "deploy"] }])
    );
}

#[test]
fn the_token_proves_only_the_run() {
    let api = api();
    let token = deploy_token(&api);
    let caller = api.authenticate(&token).unwrap();
    assert_eq!(caller.identity, Identity::GithubRun(Box::new(run())));
    assert_eq!(
        caller.scope,
        Scope::Grants(vec![grant(
            &["dotdo-production"],
            &["agents", "agents-*"],
            &["read", "deploy"]
        )])
    );
    let deploy = |environment, worker| {
        let request = Request::worker(Action::Deploy, target(environment, worker));
        api.request(|access| access.authorize(&caller, &request, audit::Action::Deploy))
            .map(|allowed| allowed.rule.to_string())
    };
    assert_eq!(
        deploy(Environment::Production, "agents"),
        Ok("agents-production".to_owned())
    );
    assert_eq!(
        deploy(Environment::Production, "billing").unwrap_err().code,
        Code::PermissionDenied
    );
    assert_eq!(
        deploy(Environment::Staging, "agents").unwrap_err().code,
        Code::PermissionDenied
    );
}

#[test]
fn pitfall_13_the_identity_of_a_run_comes_only_from_its_token() {
    let token = token(&claims(&run()));
    for (name, value) in [
        ("repository", "evil/evil"),
        ("ref", "refs/heads/x"),
        ("actor", "mallory"),
        ("author", "x"),
    ] {
        let mut body = json!({ "token": token });
        body[name] = json!(value);
        assert_eq!(
            api().exchange_body(&body.to_string()).unwrap_err().code,
            Code::BodyInvalid,
            "{name}"
        );
    }
}

#[test]
fn pitfall_18_the_actor_of_the_run_is_recorded() {
    let api = api();
    let id = api.exchange(&token(&claims(&run()))).unwrap()["id"].clone();
    let entry = api.last_entry();
    assert_eq!(entry["verb"], "token_exchange");
    assert_eq!(entry["outcome"], "succeeded");
    for (claim, value) in [
        ("kind", "github_run"),
        ("actor", "octocat"),
        ("actor_id", "3003"),
        ("repository_id", "1001"),
        ("sha", "0f9f3a6c3b4a1d2e5f60718293a4b5c6d7e8f901"),
        ("run_id", "42"),
        ("ref", "refs/heads/main"),
    ] {
        assert_eq!(entry["identity"][claim], value, "{claim}");
    }
    assert_eq!(
        entry["authority"],
        json!({ "rule": "agents-production", "policy_version": 1 })
    );
    assert_eq!(
        entry["subject"],
        json!({
            "kind": "token", "id": id, "for": "drivly/agents", "rules": ["agents-production"],
            "expires": "2027-01-15T08:15:01.000Z"
        })
    );
}

#[test]
fn a_run_without_a_rule_gets_the_reason_and_is_recorded() {
    let api = api();
    let branch = GitHubRun {
        git_ref: "refs/heads/feature".to_owned(),
        ..run()
    };
    let problem = api.exchange(&token(&claims(&branch))).unwrap_err();
    assert_eq!(problem.code, Code::PermissionDenied);
    assert_eq!(
        problem.detail,
        "drivly/agents at refs/heads/feature (run 42) may not get a deploy token."
    );
    assert_eq!(
        problem.notes,
        ["Rule \"agents-production\" expects ref refs/heads/main; the run has refs/heads/feature."]
    );
    let entry = api.last_entry();
    assert_eq!(entry["outcome"], "denied");
    assert_eq!(entry["identity"]["ref"], "refs/heads/feature");
    assert_eq!(entry["authority"], json!({ "policy_version": 1 }));
    assert_eq!(entry["reason"]["lines"].as_array().unwrap().len(), 2);
}

#[test]
fn a_run_that_anyone_can_trigger_gets_no_permission_for_production() {
    let stranger = GitHubRun {
        event_name: "pull_request_target".to_owned(),
        ..run()
    };
    let api = api();
    let problem = api.exchange(&token(&claims(&stranger))).unwrap_err();
    assert_eq!(
        problem.notes,
        ["Runs of the event pull_request_target are never allowed in production."]
    );

    let both = with(
        production(),
        "/namespaces",
        json!(["dotdo-production", "dotdo-staging"]),
    );
    let answer = Api::with_policy(&[both])
        .exchange(&token(&claims(&stranger)))
        .unwrap();
    assert_eq!(answer["grants"][0]["namespaces"], json!(["dotdo-staging"]));
}

#[test]
fn a_token_has_the_permissions_of_all_matching_rules() {
    let staging = with(
        with(production(), "/name", json!("agents-staging")),
        "/namespaces",
        json!(["dotdo-staging"]),
    );
    let answer = Api::with_policy(&[production(), staging])
        .exchange(&token(&claims(&run())))
        .unwrap();
    assert_eq!(answer["rules"], json!(["agents-production", "agents-staging"]));
    assert_eq!(answer["grants"].as_array().unwrap().len(), 2);
}

#[test]
fn a_deploy_token_ends_by_expiry_by_use_count_and_by_revocation() {
    let api = api();
    let token = deploy_token(&api);
    api.now.set(1 + 15 * 60);
    assert!(api.authenticate(&token).is_err());
    assert_eq!(api.last_entry()["reason"]["cause"], "token_expired");

    let api = self::api();
    let token = deploy_token(&api);
    for _ in 0..DEPLOY_TOKEN_USES {
        api.authenticate(&token).unwrap();
    }
    assert!(api.authenticate(&token).is_err());
    assert_eq!(api.last_entry()["reason"]["cause"], "token_used_up");

    let api = self::api();
    let token = deploy_token(&api);
    let caller = api.authenticate(&token).unwrap();
    api.request(|access| tokens::revoke_self(access, &caller))
        .unwrap();
    assert_eq!(api.last_entry()["verb"], "token_revoke");
    assert!(api.authenticate(&token).is_err());
    assert_eq!(api.last_entry()["reason"]["cause"], "token_revoked");
}

#[test]
fn pitfall_15_a_change_that_cannot_be_recorded_is_not_made() {
    let api = api();
    let good = token(&claims(&run()));
    api.sql.fail_at("INSERT INTO audit");
    assert_eq!(api.exchange(&good).unwrap_err().code, Code::RecordUnavailable);
    assert_eq!((api.sql.count("tokens"), api.sql.count("replays")), (0, 0));

    // A denial that cannot be recorded returns an error.
    let expired = {
        let mut claims = claims(&run());
        claims["exp"] = json!(1);
        token(&claims)
    };
    let problem = api.exchange(&expired).unwrap_err();
    assert_eq!(problem.code, Code::RecordUnavailable);
    assert!(problem.cause.unwrap().contains("disk I/O error"));
    assert!(
        !problem.detail.contains("disk"),
        "the response has no internal details"
    );
}

#[test]
fn the_body_is_the_token_and_is_not_in_the_response() {
    for body in [
        "",
        "{}",
        "[]",
        "{\"token\": 7}",
        "{\"token\": \"a\", \"token\": \"b\"}",
        "secret-in-the-wrong-place",
    ] {
        let problem = api().exchange_body(body).unwrap_err();
        assert_eq!(problem.code, Code::BodyInvalid, "{body}");
        assert!(!format!("{problem:?}").contains("secret-in"), "{problem:?}");
    }
}

#[test]
fn expired_tokens_and_token_ids_are_deleted() {
    let api = api();
    deploy_token(&api);
    api.now.set(100_000);
    let mut later = claims(&run());
    for claim in ["iat", "nbf", "exp"] {
        later[claim] = json!(later[claim].as_i64().unwrap() + 100_000);
    }
    later["jti"] = json!("token-2");
    api.exchange(&token(&later)).unwrap();
    assert_eq!((api.sql.count("replays"), api.sql.count("tokens")), (1, 1));
    assert_eq!(
        api.record()
            .iter()
            .filter(|entry| entry["verb"] != Value::Null)
            .count(),
        2,
        "but the entry is kept"
    );
}
