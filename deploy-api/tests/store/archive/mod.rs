//! The archive of the audit log: which entries are archived, and the validity of the chain.

mod confirmations;
mod services;

use deploy_api::audit::chain::Head;
use deploy_api::audit::{CheckpointKey, Entry, InvalidSegment, Outcome, Query, Segment, SegmentRecord};
use deploy_api::code::Code;
use deploy_api::ledger::archive_step;
use deploy_api::problem::Problem;
use deploy_api::sql::Sql;
use deploy_api::store::audit_archive::{self, ArchiveRules};
use deploy_api::store::audit_segments;
use deploy_api::store::{audit_batch, audit_log};
use futures_executor::block_on;
use secrecy::SecretString;

pub use self::services::{Ledger, Memory};
use self::services::{RULES, key};
use super::audit_log::{entry, large_log, log_of};
use crate::support::audit::verify;
use crate::support::sqlite::Sqlite;
use crate::support::time::at;

fn step(ledger: &Ledger<'_>, store: &Memory) -> Result<bool, Problem> {
    block_on(archive_step(ledger, store, &key()))
}

/// Archives all entries that can be archived, and returns the number of steps that stored a segment.
pub fn archive(ledger: &Ledger<'_>, store: &Memory) -> usize {
    while step(ledger, store).unwrap() {}
    store.objects.borrow().len()
}

/// The sequence numbers of the entries in the ledger.
fn kept(sqlite: &Sqlite) -> Vec<u64> {
    let rows = sqlite
        .exec("SELECT sequence FROM audit ORDER BY sequence", &[])
        .unwrap();
    rows.iter().map(|row| row.unsigned(0).unwrap()).collect()
}

/// The verified head of the archive, followed by the entries in the ledger.
fn whole(sqlite: &Sqlite, store: &Memory) -> Head {
    let mut head = Head::GENESIS;
    for segment in store.segments() {
        assert_eq!(segment.verify(&key().public()), Ok(()));
        for link in segment.links {
            if link.sequence > head.size {
                head = head.follow(&link).unwrap();
            }
        }
    }
    for sequence in kept(sqlite) {
        if sequence > head.size {
            head = head
                .follow(&audit_log::get(sqlite, sequence).unwrap().unwrap())
                .unwrap();
        }
    }
    head
}

#[test]
fn old_entries_become_segments_and_the_chain_stays_whole() {
    let sqlite = log_of(23);
    let before = audit_log::head(&sqlite).unwrap();
    let store = Memory::default();
    assert_eq!(
        archive(&Ledger::new(&sqlite), &store),
        2,
        "3 old entries are no segment"
    );
    assert_eq!(kept(&sqlite), (11..=23).collect::<Vec<_>>());
    let keys: Vec<_> = store.objects.borrow().keys().cloned().collect();
    assert_eq!(
        keys,
        ["audit/000000000001-5.ndjson", "audit/000000000006-10.ndjson"]
    );
    assert_eq!(whole(&sqlite, &store), before);

    let stored = audit_segments::list(&sqlite, None, 10).unwrap();
    let ranges: Vec<_> = stored.iter().map(|s| (s.header.first, s.header.last)).collect();
    assert_eq!(ranges, [(6, 10), (1, 5)], "the newest first");
    assert_eq!(
        audit_segments::segment(&sqlite, 6).unwrap().as_ref(),
        stored.first()
    );
    assert_eq!(audit_segments::segment(&sqlite, 7), Ok(None));

    let step = audit_batch::verify_step(&sqlite, None).unwrap().unwrap();
    assert_eq!((step.first, step.head, step.is_last), (11, before, true));
    audit_log::append(&sqlite, &entry(Outcome::Succeeded)).unwrap();
    assert_eq!(whole(&sqlite, &store), audit_log::head(&sqlite).unwrap());
}

#[test]
fn the_first_kept_entry_must_continue_the_archive() {
    let sqlite = log_of(20);
    archive(&Ledger::new(&sqlite), &Memory::default());
    assert!(verify(&sqlite).is_ok());
    sqlite.tamper("DROP TRIGGER audit_is_never_shortened; DELETE FROM audit WHERE sequence = 11");
    assert_eq!(verify(&sqlite).unwrap_err().sequence, 11);
}

#[test]
fn a_verification_continues_after_entries_that_were_archived_meanwhile() {
    let sqlite = log_of(20);
    let link = audit_log::get(&sqlite, 3).unwrap().unwrap();
    let from = Head {
        size: 3,
        hash: link.hash,
    };
    archive(&Ledger::new(&sqlite), &Memory::default());
    let step = audit_batch::verify_step(&sqlite, Some(from)).unwrap().unwrap();
    assert_eq!((step.first, step.head.size), (11, 20));
}

#[test]
fn the_head_of_a_log_without_kept_entries_is_that_of_the_archive() {
    let sqlite = log_of(5);
    let before = audit_log::head(&sqlite).unwrap();
    let ledger = Ledger {
        rules: ArchiveRules { kept: 0, ..RULES },
        ..Ledger::new(&sqlite)
    };
    archive(&ledger, &Memory::default());
    assert_eq!(kept(&sqlite), [0_u64; 0]);
    assert_eq!(audit_log::head(&sqlite), Ok(before));
    assert_eq!(audit_log::append(&sqlite, &entry(Outcome::Succeeded)), Ok(6));
    assert_eq!(verify(&sqlite).unwrap().size, 6);
}

#[test]
fn a_segment_has_at_most_1_mib_of_entries() {
    let sqlite = large_log(20, 300_000);
    let store = Memory::default();
    assert_eq!(archive(&Ledger::new(&sqlite), &store), 3);
    let sizes: Vec<_> = store
        .segments()
        .iter()
        .map(|segment| segment.links.len())
        .collect();
    assert_eq!(sizes, [3, 3, 3], "one old entry is no segment");
}

#[test]
fn entries_at_or_after_an_open_intent_are_not_archived() {
    let sqlite = log_of(7);
    let intent = audit_log::append(&sqlite, &entry(Outcome::Intent)).unwrap();
    for _ in 0..20 {
        audit_log::append(&sqlite, &entry(Outcome::Succeeded)).unwrap();
    }
    let (ledger, store) = (Ledger::new(&sqlite), Memory::default());
    assert_eq!(archive(&ledger, &store), 1);
    assert_eq!(kept(&sqlite).first(), Some(&6));
    let outcome = Entry {
        intent: Some(intent),
        ..entry(Outcome::Succeeded)
    };
    audit_log::append(&sqlite, &outcome).unwrap();
    assert_eq!(archive(&ledger, &store), 3);
    assert_eq!(kept(&sqlite).first(), Some(&16));
}

#[test]
fn the_intent_of_a_pending_health_check_is_not_archived() {
    let sqlite = log_of(20);
    sqlite.tamper(
        "INSERT INTO deployments (id, namespace, worker, verb, state, intent, bundle, identity, created, tags, warnings)
         VALUES ('d', 'dotdo-staging', 'agents', 'deploy', 'succeeded', 8, '', '', 0, '', '');
         INSERT INTO health_checks VALUES ('dotdo-staging', 'agents', 'd', 'a', 0)",
    );
    let (ledger, store) = (Ledger::new(&sqlite), Memory::default());
    assert_eq!(archive(&ledger, &store), 1);
    sqlite.tamper("DELETE FROM health_checks");
    assert_eq!(archive(&ledger, &store), 2);
}

#[test]
fn a_broken_chain_is_not_archived() {
    let sqlite = log_of(20);
    sqlite.tamper(
        "DROP TRIGGER audit_is_never_changed;
         UPDATE audit SET entry = replace(entry, 'agents', 'mallory') WHERE sequence = 3",
    );
    let store = Memory::default();
    let problem = step(&Ledger::new(&sqlite), &store).unwrap_err();
    assert_eq!(problem.code, Code::Internal);
    assert!(problem.cause.unwrap().contains("broken at entry 3"));
    assert_eq!((kept(&sqlite).len(), store.objects.borrow().len()), (20, 0));
}

#[test]
fn only_the_entries_of_a_confirmed_segment_can_be_deleted() {
    let sqlite = log_of(20);
    archive(&Ledger::new(&sqlite), &Memory::default());
    for statement in [
        "DELETE FROM audit WHERE sequence = 11",
        "DELETE FROM audit WHERE sequence = 20",
        "DELETE FROM audit_segments",
        "UPDATE audit_segments SET last = 20",
        "UPDATE audit SET hash = '' WHERE sequence = 11",
    ] {
        let error = sqlite.exec(statement, &[]).unwrap_err();
        assert!(
            error.to_string().contains("the audit log is append-only"),
            "{error}"
        );
    }
}

#[test]
fn pages_end_at_the_first_kept_entry() {
    let sqlite = log_of(20);
    archive(&Ledger::new(&sqlite), &Memory::default());
    let query = Query::parse([("order", "oldest"), ("limit", "3")], at(0)).unwrap();
    let page = audit_log::find(&sqlite, &query).unwrap();
    let sequences: Vec<_> = page.links.iter().map(|link| link.sequence).collect();
    assert_eq!((sequences, page.cursor), (vec![11, 12, 13], Some(13)));
    assert_eq!(audit_log::get(&sqlite, 10), Ok(None));
}

#[test]
fn a_change_of_any_part_of_an_object_is_detected() {
    let sqlite = log_of(20);
    let store = Memory::default();
    step(&Ledger::new(&sqlite), &store).unwrap();
    let object = String::from_utf8(store.objects.borrow().values().next().unwrap().clone()).unwrap();
    let read = |object: &str| Segment::read(object).and_then(|segment| segment.verify(&key().public()));
    assert_eq!(read(&object), Ok(()));
    let lines: Vec<_> = object.lines().collect();
    let (_, without_last_entry) = (&lines[5], [&lines[..5], &lines[6..]].concat().join("\n"));
    for changed in [
        object.replace("agents", "mallory"),
        object.replacen("\"last\":5", "\"last\":6", 1),
        object.replacen("\"format\":1", "\"format\":2", 1),
        without_last_entry,
        lines[..6].join("\n"),
        object.replacen("\"client\":{\"address\"", "\"client\": {\"address\"", 1),
        String::new(),
        "\n\n".to_owned(),
    ] {
        assert_ne!(changed, object);
        assert!(read(&changed).is_err(), "{changed}");
    }
    let other = CheckpointKey::from_hex(&SecretString::from("5b".repeat(32))).unwrap();
    let segment = Segment::read(&object).unwrap();
    assert!(matches!(
        segment.verify(&other.public()),
        Err(InvalidSegment::OtherKey { .. })
    ));
    // Signed with another key, but with the public key of the API.
    let (mut forged, _) =
        SegmentRecord::write(segment.header.clone(), &lines[1..6].join("\n"), &other).unwrap();
    forged.signature.key = key().public();
    assert_eq!(forged.verify(&key().public()), Err(InvalidSegment::Signature));
}

#[test]
fn a_step_reports_that_there_is_nothing_to_archive() {
    let sqlite = log_of(14);
    let store = Memory::default();
    assert_eq!(step(&Ledger::new(&sqlite), &store), Ok(false));
    assert!(!audit_archive::is_due(&sqlite, RULES).unwrap());
    assert!(audit_archive::is_due(&log_of(15), RULES).unwrap());
    assert_eq!(store.objects.borrow().len(), 0);
}
