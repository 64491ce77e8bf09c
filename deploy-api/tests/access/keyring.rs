//! When an issuer's keys are read, and what happens when they cannot be.

use deploy_api::access::Access;
use deploy_api::v1::exchange::exchange;
use futures_executor::block_on;
use serde_json::{Value, json};

use crate::support::api::Api;
use crate::support::callers::run;
use crate::support::issuer::{Key, claims, header, public, signed, token};
use crate::support::rules::production;
use crate::support::sqlite::Sqlite;

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
fn keys_are_read_once_and_held() {
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
fn unknown_keys_are_looked_for_at_most_once_a_minute() {
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
fn a_key_that_the_issuer_has_begun_to_use_is_found() {
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
fn held_keys_outlive_an_issuer_that_fails() {
    let api = Api::with_policy(&[production()]);
    api.exchange(&numbered(0)).unwrap();
    api.connection.down.set(true);
    api.now.set(61);
    api.exchange(&by_key("key-9")).unwrap_err();
    assert_eq!(api.connection.asked.borrow().len(), 3, "it was asked");
    api.exchange(&numbered(1)).unwrap();
}

#[test]
fn without_keys_nothing_passes() {
    let api = Api::with_policy(&[production()]);
    api.connection.down.set(true);
    api.exchange(&numbered(0)).unwrap_err();
    assert_eq!(reason(&api), "oidc_keys_unavailable");
    api.connection.down.set(false);
    api.exchange(&numbered(0)).unwrap_err();
    assert_eq!(
        reason(&api),
        "oidc_keys_unavailable",
        "not asked again within the minute"
    );
    api.now.set(61);
    api.exchange(&numbered(0)).unwrap();
}

#[test]
fn requests_that_come_while_the_issuer_is_asked_wait_for_that_one_answer() {
    let api = Api::with_policy(&[production()]);
    let bodies: Vec<_> = (0..5)
        .map(|number| json!({ "token": numbered(number) }).to_string())
        .collect();
    api.request(|access: &Access<'_, Sqlite>| {
        let all = bodies.iter().map(|body| {
            exchange(
                access,
                &api.keyring,
                &api.connection,
                body.as_bytes(),
                api.entropy(),
            )
        });
        for outcome in block_on(futures_util::future::join_all(all)) {
            outcome.unwrap();
        }
    });
    assert_eq!(api.connection.reads(), 1);
}
