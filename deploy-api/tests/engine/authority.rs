//! The permission of a caller is checked again when the change begins. A change does not begin if the token was revoked or expired,
//! the rule was removed, or the Worker was locked while the body was read.

use bytes::Bytes;
use deploy_api::code::Code;
use deploy_api::identity::Token;
use deploy_api::ledger::calls;
use deploy_api::store::{policies, tokens};
use deploy_api::upload::{Source, SourceFailure};
use deploy_api::v1;
use futures_executor::block_on;
use serde_json::json;

use super::assets::INDEX;
use super::platform::{Answered, Platform};
use super::support::time::at;
use super::wrangler_upload::Upload;

/// A body with an event before its last chunk.
struct Meanwhile<F: FnOnce()> {
    bytes: Option<Vec<u8>>,
    act: Option<F>,
}

impl<F: FnOnce()> Source for Meanwhile<F> {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        let Some(bytes) = self.bytes.take() else {
            return Ok(None);
        };
        if let Some(act) = self.act.take() {
            act();
        }
        Ok(Some(Bytes::from(bytes)))
    }
}

/// An event while a body is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Revoked,
    Expired,
    RuleRemoved,
    Locked,
}

fn happen(platform: &Platform, token: &str, event: Event) {
    match event {
        Event::Revoked => {
            let id = Token::parse(token).unwrap().id();
            tokens::revoke(platform.sql, &id, at(1)).unwrap();
        }
        Event::Expired => platform.cloud.pass(2_000_000_000),
        Event::RuleRemoved => {
            let none = json!({ "version": 1, "rules": [] }).to_string();
            policies::put(platform.sql, &none, "a test", at(1)).unwrap();
        }
        Event::Locked => {
            let target = v1::target("dotdo-staging", "agents").unwrap();
            platform
                .access(|access, caller| {
                    calls::locks::lock_worker(access, caller, &target, br#"{"why": "stop"}"#)
                })
                .unwrap();
        }
    }
}

/// Each changing call with a body: the request line, the content type and the body.
fn calls() -> Vec<(&'static str, String, Vec<u8>)> {
    let json_type = || "application/json".to_owned();
    let (content_type, form) = Upload::of("new").form();
    let large = Upload::of(&"x".repeat(3 * 1024 * 1024)).form();
    let manifest = json!({ "manifest": { "/index.html": { "hash": INDEX, "size": 3 } } });
    let secret = json!({ "name": "T", "text": "w", "type": "secret_text" });
    let worker = "/v1/namespaces/dotdo-staging/workers/agents";
    let line = |method: &str, rest: &str| -> &'static str {
        Box::leak(format!("{method} {worker}{rest}").into_boxed_str())
    };
    vec![
        ("PUT S?excludeScript=true", content_type, form),
        ("PUT S", large.0, large.1),
        (
            "POST S/assets-upload-session",
            json_type(),
            manifest.to_string().into(),
        ),
        (
            "PUT A/workers/scripts/agents/secrets",
            json_type(),
            secret.to_string().into(),
        ),
        (
            "PATCH A/workers/scripts/agents/script-settings",
            json_type(),
            br#"{"tags": ["a"]}"#.to_vec(),
        ),
        (
            line("PUT", "/secrets/T"),
            json_type(),
            br#"{"text": "w"}"#.to_vec(),
        ),
        (line("PUT", "/tags"), json_type(), br#"["a"]"#.to_vec()),
        (line("POST", "/rollback"), json_type(), b"{}".to_vec()),
        (
            line("PUT", "/health-check"),
            json_type(),
            br#"{"path": "/", "expect": 204}"#.to_vec(),
        ),
    ]
}

fn send(platform: &Platform, token: &str, call: usize, event: Option<Event>) -> Answered {
    let (line, content_type, body) = calls().swap_remove(call);
    let body = Meanwhile {
        bytes: Some(body),
        act: event.map(|event| move || happen(platform, token, event)),
    };
    block_on(platform.send(token, line, &[("content-type", &content_type)], body))
}

fn platform() -> (Platform, String) {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    for version in ["one", "two"] {
        assert_eq!(platform.deploy(&token, &Upload::of(version)).status, 200);
    }
    (platform, token)
}

#[test]
fn every_changing_call_succeeds_without_a_concurrent_event() {
    for call in 0..calls().len() {
        let (platform, token) = platform();
        let answer = send(&platform, &token, call, None);
        assert!(answer.status < 300, "{}: {}", calls()[call].0, answer.text());
        platform.assert_reconciled();
    }
}

#[test]
fn a_change_does_not_begin_if_its_permission_ended_during_the_upload() {
    for event in [Event::Revoked, Event::Expired, Event::RuleRemoved, Event::Locked] {
        for call in 0..calls().len() {
            let line = calls()[call].0;
            if event == Event::Locked && line.ends_with("assets-upload-session") {
                // It does not change the served version.
                continue;
            }
            let (platform, token) = platform();
            let before = platform.cloud.changes().len();
            let answer = send(&platform, &token, call, Some(event));
            let expected = match event {
                Event::Revoked | Event::Expired => Code::AuthenticationFailed,
                Event::RuleRemoved => Code::PermissionDenied,
                Event::Locked => Code::WorkerLocked,
            };
            assert!(
                answer.text().contains(&expected.number().to_string())
                    || answer.text().contains(expected.name()),
                "{event:?} {line}: {}",
                answer.text()
            );
            assert_eq!(
                platform.cloud.changes().len(),
                before,
                "{event:?} {line} reached the upstream"
            );
            assert_eq!(platform.serves("dotdo-staging").unwrap(), "two");
            assert!(
                platform.record().last().unwrap()["outcome"] == "denied",
                "{event:?} {line}: the refusal is recorded"
            );
            platform.assert_reconciled();
        }
    }
}
