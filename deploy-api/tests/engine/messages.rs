//! Messages to the ledger that are lost, and a ledger that restarts between any two of them.

use serde_json::json;

use super::health_checks::{answer, with_health_check};
use super::platform::{MessageFault, Platform};
use super::wrangler_upload::Upload;

/// The number of messages of a deploy.
fn messages_of_a_deploy(platform: &Platform, token: &str) -> usize {
    platform.sent.borrow_mut().clear();
    platform.deploy(token, &Upload::of("counted"));
    platform.sent.borrow().len()
}

fn faults_at(position: usize, fault: MessageFault, times: usize) -> Vec<MessageFault> {
    let mut faults = vec![MessageFault::None; position];
    faults.extend(vec![fault; times]);
    faults
}

#[test]
fn a_message_with_a_lost_answer_is_repeated_and_applied_once() {
    let count = {
        let platform = Platform::new();
        let token = platform.alice("dotdo-staging");
        messages_of_a_deploy(&platform, &token)
    };
    assert_eq!(count, 3, "authorize, begin, finish");
    for position in 0..count {
        for fault in [MessageFault::Lost, MessageFault::AnswerLost] {
            for times in 1..=2 {
                let platform = Platform::new();
                let token = platform.alice("dotdo-staging");
                *platform.messages.borrow_mut() = faults_at(position, fault, times).into();
                let deployed = platform.deploy(&token, &Upload::of("one"));
                assert_eq!(deployed.status, 200, "{position} {fault:?}: {}", deployed.text());
                assert_eq!(platform.history(), ["deploy intent", "deploy succeeded"]);
                assert_eq!(platform.cloud.scripts.borrow().uploads, 1);
                assert_eq!(platform.deployments("dotdo-staging").len(), 1);
                platform.assert_reconciled();
            }
        }
    }
}

#[test]
fn changes_during_an_outage_of_the_ledger_are_reconciled() {
    for position in 0..3 {
        for fault in [MessageFault::Lost, MessageFault::AnswerLost] {
            let platform = Platform::new();
            let token = platform.alice("dotdo-staging");
            platform.deploy(&token, &Upload::of("zero"));
            *platform.messages.borrow_mut() = faults_at(position, fault, 3).into();
            let lost = platform.deploy(&token, &Upload::of("one"));
            assert_eq!(lost.status, 503, "{position} {fault:?}: {}", lost.text());
            platform.restart_ledger();
            platform.cloud.pass(100);
            assert_eq!(platform.reconcile(), 0, "{position} {fault:?}");
            let deployments = platform.deployments("dotdo-staging");
            assert!(
                deployments
                    .iter()
                    .all(|deployment| deployment["state"] != "pending")
            );
            let again = platform.deploy(&token, &Upload::of("one"));
            assert_eq!(again.status, 200, "{}", again.text());
            assert_eq!(platform.serves("dotdo-staging").unwrap(), "one");
            platform.assert_reconciled();
        }
    }
}

#[test]
fn a_lease_survives_a_restart_of_the_ledger() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let upload = Upload::of("one");
    futures_executor::block_on(async {
        let mut deploying = std::pin::pin!(platform.deploying(&token, "dotdo-staging", &upload));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        while platform.history().is_empty() {
            assert!(deploying.as_mut().poll(&mut context).is_pending());
        }
        platform.restart_ledger();
        let two = Upload::of("two");
        let other = platform.deploying(&token, "dotdo-staging", &two).await;
        assert_eq!(other.status, 503, "the lease is held: {}", other.text());
        assert!(other.headers.iter().any(|(name, _)| *name == "retry-after"));
        assert_eq!(deploying.await.status, 200);
    });
    assert_eq!(platform.deploy(&token, &Upload::of("two")).status, 200);
    platform.assert_reconciled();
}

#[test]
fn lost_messages_of_a_failed_health_check_are_reconciled() {
    let count = {
        let (platform, token) = with_health_check("/");
        *platform.cloud.dispatcher_answers.borrow_mut() = [answer(500)].into();
        messages_of_a_deploy(&platform, &token)
    };
    assert!(count > 6, "{count}");
    for position in 0..count {
        for (fault, times) in [
            (MessageFault::Lost, 1),
            (MessageFault::AnswerLost, 1),
            (MessageFault::AnswerLost, 3),
        ] {
            let (platform, token) = with_health_check("/");
            *platform.cloud.dispatcher_answers.borrow_mut() = [answer(500)].into();
            *platform.messages.borrow_mut() = faults_at(position, fault, times).into();
            let failed = platform.deploy(&token, &Upload::of("two"));
            assert_ne!(failed.status, 200, "{position} {fault:?}");
            platform.messages.borrow_mut().clear();
            platform.restart_ledger();
            platform.cloud.pass(100);
            assert_eq!(platform.reconcile(), 0, "{position} {fault:?} {times}");
            assert_eq!(
                platform.serves("dotdo-staging").unwrap(),
                "one",
                "{position} {fault:?}"
            );
            platform.assert_reconciled();
        }
    }
}

#[test]
fn fifty_concurrent_deploys_are_ordered_by_their_start() {
    let platform = Platform::new();
    let token = platform.alice("dotdo-staging");
    let uploads: Vec<_> = (0..50).map(|number| Upload::of(&number.to_string())).collect();
    let deploying = uploads
        .iter()
        .map(|upload| platform.deploying(&token, "dotdo-staging", upload));
    let answers = futures_executor::block_on(futures_util::future::join_all(deploying));
    for answer in &answers {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let deployments = platform.deployments("dotdo-staging");
    assert_eq!(deployments.len(), 50);
    for (newer, older) in deployments.iter().zip(deployments.iter().skip(1)) {
        assert_eq!(newer["previous"], older["id"]);
    }
    assert_eq!(platform.serves("dotdo-staging").unwrap(), "49");
    assert_eq!(deployments[0]["serving"], json!(true));
    platform.assert_reconciled();
}
