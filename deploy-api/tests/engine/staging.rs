//! The staging object of a large upload is deleted at once if the upload does not begin.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use deploy_api::code::Code;
use deploy_api::http::WholeBody;
use deploy_api::identity::Token;
use deploy_api::ledger::calls;
use deploy_api::store::tokens;
use deploy_api::upload::{Source, SourceFailure};
use deploy_api::v1;
use futures_executor::block_on;
use serde_json::json;

use super::platform::{Answered, MessageFault, Platform};
use super::support::time::at;
use super::wrangler_upload::Upload;

const MIB: usize = 1024 * 1024;

/// The sizes of a bundle that is stored with one `put`, and of one that is a multipart upload.
const LARGE: [usize; 2] = [2 * MIB, 6 * MIB];

fn large(size: usize) -> Upload {
    Upload::of(&"x".repeat(size))
}

fn has_code(answer: &Answered, code: Code) {
    assert_eq!(answer.codes(), [u64::from(code.number())], "{}", answer.text());
}

fn has_nothing_stored(platform: &Platform) {
    assert_eq!(platform.cloud.stored.keys(), [""; 0]);
    assert_eq!(platform.cloud.stored.open_uploads(), 0);
}

/// Locks agents of staging for ten minutes.
fn lock(platform: &Platform) {
    let target = v1::target("dotdo-staging", "agents").unwrap();
    let body = json!({ "why": "a test", "until": at(600).to_string() }).to_string();
    platform
        .access(|access, caller| calls::locks::lock_worker(access, caller, &target, body.as_bytes()))
        .unwrap();
}

/// A body in two chunks, with a callback before the second one.
struct Interrupted<F: FnMut()> {
    chunks: Vec<Bytes>,
    between: F,
}

impl<F: FnMut()> Source for Interrupted<F> {
    async fn next(&mut self) -> Result<Option<Bytes>, SourceFailure> {
        if self.chunks.len() == 1 {
            (self.between)();
        }
        Ok(self.chunks.pop())
    }
}

fn send(platform: &Platform, token: &str, content_type: &str, body: impl Source) -> Answered {
    let headers = [("content-type", content_type)];
    block_on(platform.send(token, "PUT S?excludeScript=true", &headers, body))
}

#[test]
fn an_upload_to_a_locked_worker_leaves_no_object() {
    for size in LARGE {
        let platform = Platform::new();
        lock(&platform);
        let token = platform.alice("dotdo-staging");
        has_code(&platform.deploy(&token, &large(size)), Code::WorkerLocked);
        let calls = platform.cloud.stored.calls();
        assert!(calls.iter().any(|call| call.contains(" staging/")), "{calls:?}");
        has_nothing_stored(&platform);
    }
}

#[test]
fn an_upload_whose_token_is_revoked_meanwhile_leaves_no_object() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let (content_type, form) = large(LARGE[0]).form();
    let mut form = Bytes::from(form);
    let head = form.split_to(MIB);
    let body = Interrupted {
        chunks: vec![form, head],
        between: || {
            let hash = Token::parse(&token).unwrap().hash();
            tokens::revoke(platform.sql, &hash.id(), at(2)).unwrap();
        },
    };
    has_code(
        &send(&platform, &token, &content_type, body),
        Code::AuthenticationFailed,
    );
    has_nothing_stored(&platform);
}

#[test]
fn a_replayed_upload_leaves_only_the_object_of_the_first_one() {
    for size in LARGE {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        let upload = large(size);
        assert_eq!(platform.deploy(&token, &upload).status, 200);
        let stored = platform.cloud.stored.keys();
        assert_eq!(stored.len(), 1);
        assert_eq!(platform.deploy(&token, &upload.retried()).status, 200);
        assert_eq!(
            platform.history(),
            ["deploy intent", "deploy succeeded", "deploy replayed"]
        );
        assert_eq!(platform.cloud.stored.keys(), stored);
    }
}

#[test]
fn an_upload_that_waits_too_long_for_the_lease_leaves_no_object() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let first = Upload::of("one");
    let mut deploying = pin!(platform.deploying(&token, "dotdo-staging", &first));
    while platform.history().is_empty() {
        let polled = deploying.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Pending));
    }
    let answer = platform.deploy(&token, &large(LARGE[0]));
    has_code(&answer, Code::DeploymentUnsettled);
    let stored = platform.cloud.stored.keys();
    assert!(
        stored.iter().all(|key| !key.starts_with("staging/")),
        "{stored:?}"
    );
}

#[test]
fn a_malformed_end_of_the_body_leaves_no_object() {
    for size in LARGE {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        let (content_type, mut form) = large(size).form();
        form.truncate(form.len() - 10);
        let answer = send(&platform, &token, &content_type, WholeBody::new(form));
        has_code(&answer, Code::UploadMalformed);
        has_nothing_stored(&platform);
    }
}

#[test]
fn the_object_is_kept_if_the_answer_of_the_ledger_is_lost() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let lost = [MessageFault::AnswerLost; 3];
    platform.messages.borrow_mut().push_back(MessageFault::None);
    platform.messages.borrow_mut().extend(lost);
    has_code(
        &platform.deploy(&token, &large(LARGE[0])),
        Code::RecordUnavailable,
    );
    assert_eq!(platform.history(), ["deploy intent"]);
    assert_eq!(platform.cloud.stored.keys().len(), 1, "the intent references it");
}

#[test]
fn a_failure_to_delete_the_object_does_not_change_the_answer() {
    let platform = Platform::new();
    lock(&platform);
    let token = platform.alice("dotdo-staging");
    platform.cloud.stored.fail_after(1, usize::MAX);
    has_code(&platform.deploy(&token, &large(LARGE[0])), Code::WorkerLocked);
    let calls = platform.cloud.stored.calls();
    assert!(calls.iter().any(|call| call.starts_with("delete staging/")));
    assert_eq!(
        platform.cloud.stored.keys().len(),
        1,
        "garbage collection deletes it"
    );
}
