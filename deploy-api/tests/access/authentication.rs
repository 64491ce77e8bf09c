//! Credentials: the same response for every rejected credential, and the lock-out after many invalid ones.

use deploy_api::code::Code;
use deploy_api::identity::lockout::MAX_GUESSES;
use deploy_api::identity::{Identity, ShownCredential, TOKEN_ENTROPY, Token, TokenKind};
use deploy_api::problem::Problem;
use deploy_api::store::denials;
use serde_json::{Value, json};

use crate::support::api::{Api, BOOTSTRAP};
use crate::support::callers::run;
use crate::support::issuer::{Key, claims, header, signed, token};
use crate::support::rules::production;
use crate::support::time::at;

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
fn every_rejected_credential_gets_the_same_response_and_its_reason_is_recorded() {
    let token = unknown_token();
    let typo = token.replace("aaaaaaaa", "aaaaaaab");
    let api = Api::new();
    let generic = refusal(&api, &token);
    assert_eq!(
        (generic.code, generic.code.status()),
        (Code::AuthenticationFailed, 401)
    );
    let entry = api.last_entry();
    assert_eq!(entry["verb"], "authenticate");
    assert_eq!(
        entry["reason"],
        json!({ "code": "AUTHENTICATION_FAILED", "cause": "token_unknown" })
    );
    assert_eq!(
        entry["client"],
        json!({ "address": "192.0.2.1", "request_id": "ray-1" })
    );
    // The gateway rejects a malformed credential without a message to the ledger, so the audit log has no entry.
    for bearer in [
        typo.as_str(),
        &token[..40],
        "dotdo_",
        "not-the-bootstrap-secret",
        "",
    ] {
        let refused = refusal(&api, bearer);
        assert_eq!((refused.code, &refused.detail), (generic.code, &generic.detail));
        assert_eq!(api.record().len(), 1, "{bearer}");
    }
}

#[test]
fn a_request_without_a_credential_is_rejected_and_not_recorded() {
    let api = Api::new();
    let problem = api.authenticate_header(None).unwrap_err();
    assert_eq!(problem.code, Code::AuthenticationFailed);
    assert_eq!(api.record().len(), 0);
}

#[test]
fn without_a_bootstrap_secret_no_text_is_accepted_as_one() {
    let api = Api::new();
    let header = format!("Bearer {BOOTSTRAP}");
    assert!(ShownCredential::read(Some(&header), None).is_err());
    assert!(ShownCredential::read(Some(&header), Some(&api.bootstrap)).is_ok());
}

#[test]
fn an_address_with_many_invalid_credentials_is_locked_out_except_for_valid_ones() {
    let api = Api::new();
    for _ in 0..MAX_GUESSES {
        assert_eq!(refusal(&api, &unknown_token()).code, Code::AuthenticationFailed);
    }
    let problem = refusal(&api, &unknown_token());
    assert_eq!((problem.code, problem.code.status()), (Code::LockedOut, 429));
    assert_eq!(problem.retry_after, Some(901));
    assert_eq!(
        api.record().len(),
        1,
        "repeated denials of one credential are one entry"
    );
    denials::flush(&api.sql, at(3600)).unwrap();
    assert_eq!(
        api.last_entry()["count"],
        19,
        "attempts while locked out are not recorded"
    );
    assert!(api.authenticate(BOOTSTRAP).is_ok(), "others share the address");

    api.set_address("192.0.2.2");
    assert_eq!(refusal(&api, &unknown_token()).code, Code::AuthenticationFailed);
    api.set_address("192.0.2.1");
    api.now.set(1 + 15 * 60);
    assert_eq!(refusal(&api, &unknown_token()).code, Code::AuthenticationFailed);
}

/// A valid OIDC token of another audience, a valid one, which the caller exchanges again and again, and a forged one.
fn oidc_tokens() -> (String, String, String) {
    let mut elsewhere = claims(&run());
    elsewhere["aud"] = json!("sts.amazonaws.com");
    let forged = signed(&header(), &claims(&run()), Key::Mallorys);
    (token(&elsewhere), token(&claims(&run())), forged)
}

#[test]
fn known_credentials_do_not_lock_out() {
    let api = Api::with_policy(&[production()]);
    let (elsewhere, valid, _) = oidc_tokens();
    let deploy = api.exchange(&valid).unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    for _ in 0..2 * MAX_GUESSES {
        for refused in [&valid, &elsewhere] {
            assert_eq!(
                api.exchange(refused).unwrap_err().code,
                Code::AuthenticationFailed
            );
        }
    }
    api.now.set(16 * 60);
    for _ in 0..2 * MAX_GUESSES {
        assert_eq!(refusal(&api, &deploy).code, Code::AuthenticationFailed);
        assert_eq!(refusal(&api, "any other text").code, Code::AuthenticationFailed);
    }
    assert_eq!(refusal(&api, &unknown_token()).code, Code::AuthenticationFailed);
}

#[test]
fn forged_oidc_tokens_and_unknown_tokens_count_together_and_only_guesses_are_locked_out() {
    let api = Api::with_policy(&[production()]);
    let (elsewhere, valid, forged) = oidc_tokens();
    let deploy = api.exchange(&valid).unwrap()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    for _ in 0..MAX_GUESSES / 2 {
        assert_eq!(
            api.exchange(&forged).unwrap_err().code,
            Code::AuthenticationFailed
        );
        assert_eq!(refusal(&api, &unknown_token()).code, Code::AuthenticationFailed);
    }
    assert_eq!(api.exchange(&forged).unwrap_err().code, Code::LockedOut);
    assert_eq!(refusal(&api, &unknown_token()).code, Code::LockedOut);
    for known in [&elsewhere, &valid] {
        assert_eq!(api.exchange(known).unwrap_err().code, Code::AuthenticationFailed);
    }
    let mut next = claims(&run());
    next["jti"] = json!("token-2");
    assert!(
        api.exchange(&token(&next)).is_ok(),
        "a valid OIDC token is accepted"
    );
    assert!(api.authenticate(&deploy).is_ok());
}

#[test]
fn nobody_is_locked_out_on_loopback_or_without_an_address() {
    let (_, _, forged) = oidc_tokens();
    for address in [
        Some("127.0.0.1"),
        Some("127.1.2.3"),
        Some("::1"),
        Some("::ffff:127.0.0.1"),
        None,
    ] {
        let api = Api::with_policy(&[production()]);
        api.client.borrow_mut().address = address.map(str::to_owned);
        for _ in 0..2 * MAX_GUESSES {
            assert_eq!(refusal(&api, &unknown_token()).code, Code::AuthenticationFailed);
            assert_eq!(
                api.exchange(&forged).unwrap_err().code,
                Code::AuthenticationFailed
            );
        }
        let recorded = api
            .record()
            .iter()
            .filter(|entry| entry["verb"] != Value::Null)
            .count();
        assert!(
            recorded <= 2,
            "{address:?}: repeated denials are counted, not recorded"
        );
    }
}

#[test]
fn pitfall_15_a_denial_that_cannot_be_recorded_is_a_separate_error() {
    let api = Api::new();
    api.sql.fail_at("INSERT INTO audit");
    assert_eq!(refusal(&api, &unknown_token()).code, Code::RecordUnavailable);
    let api = Api::new();
    api.sql.fail_at("FROM tokens");
    assert_eq!(refusal(&api, &unknown_token()).code, Code::RecordUnavailable);
}
