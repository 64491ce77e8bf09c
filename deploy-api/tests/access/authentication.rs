//! Credentials: one answer for all that is refused, and a lock-out for who guesses.

use deploy_api::code::Code;
use deploy_api::identity::lockout::{MAX_GUESSES, MAX_RECORDED};
use deploy_api::identity::{Identity, TOKEN_ENTROPY, Token, TokenKind};
use deploy_api::problem::Problem;
use serde_json::json;

use crate::support::api::{Api, BOOTSTRAP};

fn unknown_token() -> String {
    Token::mint(TokenKind::Api, [0xaa; TOKEN_ENTROPY])
        .reveal()
        .to_owned()
}

fn refusal(api: &Api, bearer: &str) -> Problem {
    api.authenticate(bearer).unwrap_err()
}

#[test]
fn the_bootstrap_secret_is_the_bootstrap_administrator() {
    let caller = Api::new().authenticate(BOOTSTRAP).unwrap();
    assert_eq!(
        (caller.identity, caller.token),
        (Identity::BootstrapAdministrator, None)
    );
}

#[test]
fn every_refused_credential_gets_the_same_answer_and_its_reason_on_record() {
    let token = unknown_token();
    let typo = token.replace("aaaaaaaa", "aaaaaaab");
    let api = Api::new();
    let generic = refusal(&api, &token);
    assert_eq!(
        (generic.code, generic.code.status()),
        (Code::AuthenticationFailed, 401)
    );
    for (bearer, reason) in [
        (token.as_str(), "token_unknown"),
        (&typo, "token_checksum"),
        (&token[..40], "token_form"),
        ("dotdo_", "token_prefix"),
        ("not-the-bootstrap-secret", "bearer_unknown"),
        ("", "credential_no_bearer"),
    ] {
        assert_eq!(refusal(&api, bearer), generic, "{reason}");
        let entry = api.last_entry();
        assert_eq!(entry["verb"], "authenticate");
        assert_eq!(
            entry["reason"],
            json!({ "code": "AUTHENTICATION_FAILED", "cause": reason })
        );
        assert_eq!(
            entry["client"],
            json!({ "address": "192.0.2.1", "request_id": "ray-1" })
        );
    }
}

#[test]
fn who_shows_nothing_is_refused_and_not_on_record() {
    let api = Api::new();
    let problem = api.request(|access| access.authenticate(None)).unwrap_err();
    assert_eq!(problem.code, Code::AuthenticationFailed);
    assert_eq!(api.record().len(), 0);
}

#[test]
fn without_a_bootstrap_secret_no_text_is_one() {
    let api = Api::new();
    let outcome = api.request(|access| {
        let without = deploy_api::access::Access {
            bootstrap: None,
            ..*access
        };
        without.authenticate(Some(&format!("Bearer {BOOTSTRAP}")))
    });
    assert_eq!(outcome.unwrap_err().code, Code::AuthenticationFailed);
}

#[test]
fn who_guesses_is_locked_out_for_a_while_whatever_they_show() {
    let api = Api::new();
    for _ in 0..MAX_GUESSES {
        assert_eq!(refusal(&api, &unknown_token()).code, Code::AuthenticationFailed);
    }
    let problem = refusal(&api, BOOTSTRAP);
    assert_eq!((problem.code, problem.code.status()), (Code::LockedOut, 429));
    assert_eq!(problem.retry_after, Some(901));
    assert_eq!(api.exchange("x").unwrap_err().code, Code::LockedOut);
    assert_eq!(
        api.record().len(),
        20,
        "attempts while locked out are not on record"
    );

    api.set_address("192.0.2.2");
    assert!(
        api.authenticate(BOOTSTRAP).is_ok(),
        "another address is not locked out"
    );
    api.set_address("192.0.2.1");
    api.now.set(1 + 15 * 60);
    assert!(api.authenticate(BOOTSTRAP).is_ok());
}

#[test]
fn typos_never_lock_anyone_out_and_fill_no_log() {
    let api = Api::new();
    for _ in 0..MAX_RECORDED + 50 {
        assert_eq!(refusal(&api, "dotdo_run_typo").code, Code::AuthenticationFailed);
    }
    assert_eq!(api.record().len(), 100);
    assert!(api.authenticate(BOOTSTRAP).is_ok());
}

#[test]
fn pitfall_15_a_refusal_that_cannot_be_recorded_is_an_error_of_its_own() {
    let api = Api::new();
    api.sql.fail_at("INSERT INTO audit");
    assert_eq!(refusal(&api, &unknown_token()).code, Code::RecordUnavailable);
    let api = Api::new();
    api.sql.fail_at("UPDATE tokens");
    assert_eq!(refusal(&api, &unknown_token()).code, Code::RecordUnavailable);
}
