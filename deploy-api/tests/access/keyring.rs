//! When the keys of an issuer are fetched, and the behaviour if the fetch fails.

use deploy_api::code::Code;
use deploy_api::v1::exchange::prove;
use futures_executor::block_on;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::callers::run;
use crate::support::issuer::{Key, claims, header, public, signed, token};
use crate::support::rules::production;
use crate::support::time::at;

fn numbered(number: u32) -> String {
    let mut claims = claims(&run());
    claims["jti"] = json!(format!("token-{number}"));
    token(&claims)
}

fn by_key(key_id: &str) -> String {
    let mut header = header();
    header["kid"] = json!(key_id);
    signed(&header, &claims(&run()), Key::Issuers)
}

fn reason(api: &Api) -> Value {
    api.last_entry()["reason"]["cause"].clone()
}

#[test]
fn keys_are_fetched_once_and_cached() {
    let api = Api::with_policy(&[production()]);
    for number in 0..3 {
        api.exchange(&numbered(number)).unwrap();
    }
    assert_eq!(
        *api.connection.asked.borrow(),
        [
            "https://token.actions.githubusercontent.com/.well-known/openid-configuration",
            "https://token.actions.githubusercontent.com/.well-known/jwks",
        ]
    );
}

#[test]
fn unknown_keys_are_fetched_at_most_once_a_minute() {
    let api = Api::with_policy(&[production()]);
    for second in [1, 2, 30, 60] {
        api.now.set(second);
        api.exchange(&by_key(&format!("key-{second}-x"))).unwrap_err();
        assert_eq!(reason(&api), "oidc_key_unknown");
    }
    assert_eq!(api.connection.reads(), 1);
    api.now.set(61);
    api.exchange(&by_key("key-x")).unwrap_err();
    assert_eq!(api.connection.reads(), 2);
}

#[test]
fn a_new_key_of_the_issuer_is_fetched() {
    let api = Api::with_policy(&[production()]);
    api.exchange(&numbered(0)).unwrap();
    api.connection
        .published
        .borrow_mut()
        .push(public(Key::Issuers, "key-2"));
    api.now.set(61);
    api.exchange(&by_key("key-2")).unwrap();
}

#[test]
fn cached_keys_are_used_while_the_issuer_fails() {
    let api = Api::with_policy(&[production()]);
    api.exchange(&numbered(0)).unwrap();
    api.connection.down.set(true);
    api.now.set(61);
    for _ in 0..30 {
        let problem = api.exchange(&by_key("key-9")).unwrap_err();
        assert_eq!(
            (problem.code, problem.retry_after),
            (Code::IssuerUnavailable, Some(10)),
            "the issuer may have published the key"
        );
    }
    assert_eq!(api.connection.asked.borrow().len(), 3, "it was asked once");
    assert_eq!(api.sql.count("lockouts"), 0);
    api.exchange(&numbered(1)).unwrap();
}

#[test]
fn without_keys_no_token_is_accepted() {
    let api = Api::with_policy(&[production()]);
    api.connection.down.set(true);
    for _ in 0..30 {
        let problem = api.exchange(&numbered(0)).unwrap_err();
        assert_eq!(
            (problem.code, problem.retry_after),
            (Code::IssuerUnavailable, Some(10))
        );
    }
    assert!(api.record().is_empty(), "an issuer's failure is not a guess");
    api.connection.down.set(false);
    assert_eq!(
        api.exchange(&numbered(0)).unwrap_err().code,
        Code::IssuerUnavailable,
        "the issuer is not asked again within the minute"
    );
    api.now.set(61);
    api.exchange(&numbered(0)).unwrap();
}

#[test]
fn requests_at_the_same_time_do_not_wait_for_each_other() {
    let api = Api::with_policy(&[production()]);
    let bodies: Vec<_> = (0..5)
        .map(|number| json!({ "token": numbered(number) }).to_string())
        .collect();
    let all = bodies
        .iter()
        .map(|body| prove(&api.keyring, &api.connection, body.as_bytes(), at(1)));
    for outcome in block_on(futures_util::future::join_all(all)) {
        outcome.unwrap().unwrap();
    }
    let reads = api.connection.reads();
    api.exchange(&numbered(6)).unwrap();
    assert_eq!(api.connection.reads(), reads, "the keys are known now");
}

#[test]
fn a_key_that_a_shared_copy_lacks_is_fetched_from_the_issuer() {
    let api = Api::with_policy(&[production()]);
    let connection = &api.connection;
    let copy = (vec![public(Key::Issuers, "key-0")], SignedDuration::from_mins(5));
    *connection.copy.borrow_mut() = Some(copy);
    api.exchange(&by_key("key-0")).unwrap();
    assert_eq!(connection.reads(), 0, "the copy is used");
    api.exchange(&numbered(2)).unwrap();
    assert_eq!(connection.reads(), 1, "the copy lacks key-1");
}
