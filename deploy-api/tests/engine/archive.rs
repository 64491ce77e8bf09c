//! The reconciler moves old entries of the audit log to the bundle store.

use std::pin::pin;
use std::task::{Context, Waker};

use deploy_api::audit::chain::Head;
use deploy_api::audit::{CheckpointKey, Segment};
use deploy_api::code::Code;
use deploy_api::ledger::calls;
use deploy_api::ledger::{ConfirmSegment, Message, ReadSegment};
use deploy_api::problem::Problem;
use deploy_api::sql::Sql;
use deploy_api::store::audit_archive::ArchiveRules;
use deploy_api::store::audit_log;
use deploy_api::store::batch_limits::BatchLimits;
use futures_executor::block_on;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::platform::{MessageFault, Platform};
use super::wrangler_upload::Upload;

/// Four entries are kept, and a segment has three.
const RULES: ArchiveRules = ArchiveRules {
    kept: 4,
    segment: BatchLimits {
        entries: 3,
        bytes: 1024 * 1024,
    },
};

fn key() -> CheckpointKey {
    CheckpointKey::from_hex(&SecretString::from("5a".repeat(32))).unwrap()
}

/// A platform with twelve entries, of which two segments are due.
fn platform() -> Platform {
    let platform = Platform::archiving(RULES);
    let token = platform.alice("dotdo-staging");
    for version in 0..6 {
        platform.deploy(&token, &Upload::of(&version.to_string()));
    }
    assert_eq!(kept(&platform), (1..=12).collect::<Vec<_>>());
    platform
}

/// Runs the reconciler. The archive is due every hour.
fn reconcile(platform: &Platform) -> Result<(), Problem> {
    platform.cloud.pass(3601);
    block_on(platform.reconciling_with(Some(&key())))
}

/// The sequence numbers of the entries in the ledger.
fn kept(platform: &Platform) -> Vec<u64> {
    let rows = platform
        .sql
        .exec("SELECT sequence FROM audit ORDER BY sequence", &[])
        .unwrap();
    rows.iter().map(|row| row.unsigned(0).unwrap()).collect()
}

fn objects(platform: &Platform) -> Vec<String> {
    let mut keys = platform.cloud.stored.keys();
    keys.retain(|key| key.starts_with("audit/"));
    keys
}

fn segments(platform: &Platform) -> Vec<Segment> {
    let object = |key: &String| platform.cloud.stored.object(key).unwrap();
    let text = |key| String::from_utf8(object(key)).unwrap();
    objects(platform)
        .iter()
        .map(|key| Segment::read(&text(key)).unwrap())
        .collect()
}

/// Checks that each entry is in the ledger, in an archived segment, or, if `is_interrupted`, in both, and that they are one chain.
fn is_whole(platform: &Platform, is_interrupted: bool) {
    let mut head = Head::GENESIS;
    for segment in segments(platform) {
        assert_eq!(segment.verify(&key().public()), Ok(()));
        for link in segment.links {
            head = head.follow(&link).unwrap();
        }
    }
    let kept = kept(platform);
    if !is_interrupted {
        assert_eq!(kept.first(), Some(&(head.size + 1)), "no entry is in both");
    }
    let archived = head.size;
    for sequence in kept.into_iter().filter(|sequence| *sequence > archived) {
        let link = audit_log::get(platform.sql, sequence).unwrap().unwrap();
        head = head.follow(&link).unwrap();
    }
    assert_eq!(head, audit_log::head(platform.sql).unwrap());
    assert_eq!(head.size, 12);
}

fn is_archived(platform: &Platform) {
    assert_eq!(
        objects(platform),
        ["audit/000000000001-3.ndjson", "audit/000000000004-6.ndjson"]
    );
    assert_eq!(kept(platform), (7..=12).collect::<Vec<_>>());
    is_whole(platform, false);
    assert_eq!(platform.open(), 0);
}

fn page(platform: &Platform) -> Value {
    platform
        .access(|access, caller| calls::audit::list(access, caller, &[]))
        .unwrap()
}

#[test]
fn old_entries_are_archived_and_a_page_of_the_log_links_them() {
    let platform = platform();
    assert_eq!(page(&platform)["first"], 1);
    reconcile(&platform).unwrap();
    is_archived(&platform);
    let page = page(&platform);
    assert_eq!(
        (&page["first"], page["items"].as_array().unwrap().len()),
        (&json!(7), 6)
    );
    let linked: Vec<_> = page["segments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|segment| (&segment["first"], &segment["last"], &segment["url"]))
        .collect();
    assert_eq!(
        linked,
        [
            (&json!(4), &json!(6), &json!("/v1/audit/segments/4")),
            (&json!(1), &json!(3), &json!("/v1/audit/segments/1"))
        ]
    );
}

#[test]
fn nothing_is_archived_without_a_key() {
    let platform = platform();
    platform.cloud.pass(3601);
    block_on(platform.reconciling());
    assert_eq!((objects(&platform).len(), kept(&platform).len()), (0, 12));
}

#[test]
fn a_lost_message_neither_loses_nor_duplicates_entries() {
    for name in [ReadSegment::NAME, ConfirmSegment::NAME] {
        for fault in [MessageFault::Lost, MessageFault::AnswerLost] {
            let platform = platform();
            // A message is sent up to three times. The messages before it arrive.
            let before = if name == ReadSegment::NAME { 1 } else { 2 };
            let mut faults = vec![MessageFault::None; before];
            faults.extend([fault; 3]);
            platform.messages.borrow_mut().extend(faults);
            let problem = reconcile(&platform).unwrap_err();
            assert_eq!(problem.code, Code::RecordUnavailable, "{name} {fault:?}");
            assert!(
                platform.sent.borrow().windows(3).any(|sent| sent == [name; 3]),
                "{name} {fault:?}"
            );
            is_whole(&platform, true);
            reconcile(&platform).unwrap();
            is_archived(&platform);
        }
    }
}

#[test]
fn a_failure_of_the_bundle_store_loses_no_entry() {
    let platform = platform();
    platform.cloud.store_fails.set(true);
    let problem = reconcile(&platform).unwrap_err();
    assert_eq!(problem.code, Code::BundleStoreUnavailable);
    assert_eq!(kept(&platform).len(), 12);
    platform.cloud.store_fails.set(false);
    reconcile(&platform).unwrap();
    is_archived(&platform);
}

#[test]
fn a_failure_of_the_database_deletes_no_entry() {
    for part in ["INSERT INTO audit_segments", "DELETE FROM audit"] {
        let platform = platform();
        platform.sql.fail_at(part);
        let problem = reconcile(&platform).unwrap_err();
        assert_eq!(problem.code, Code::RecordUnavailable, "{part}");
        assert_eq!(
            (objects(&platform).len(), kept(&platform).len()),
            (1, 12),
            "{part}"
        );
        platform.sql.heal();
        reconcile(&platform).unwrap();
        is_archived(&platform);
    }
}

#[test]
fn a_crash_at_any_point_neither_loses_nor_duplicates_entries() {
    let mut states = Vec::new();
    for polls in 1.. {
        let platform = platform();
        platform.cloud.pass(3601);
        let is_done = {
            let key = key();
            let mut reconciling = pin!(platform.reconciling_with(Some(&key)));
            let mut context = Context::from_waker(Waker::noop());
            (0..polls).any(|_| reconciling.as_mut().poll(&mut context).is_ready())
        };
        is_whole(&platform, true);
        states.push((objects(&platform).len(), kept(&platform).len()));
        platform.restart_ledger();
        reconcile(&platform).unwrap();
        is_archived(&platform);
        if is_done {
            break;
        }
    }
    states.dedup();
    assert_eq!(
        states,
        [(0, 12), (1, 12), (1, 9), (2, 9), (2, 6)],
        "each segment is stored before its entries are deleted"
    );
}
