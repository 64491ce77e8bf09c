//! An interrupted step loses no entry, and only the segment that is due can be confirmed.

use deploy_api::audit::{SegmentHeader, SegmentRecord};
use deploy_api::code::Code;
use deploy_api::ledger::{ConfirmSegment, Message, confirm_segment, read_segment};
use deploy_api::store::audit_segments;

use super::services::{Ledger, Memory, RULES, key};
use super::{kept, step};
use crate::audit_log::log_of;
use crate::support::time::at;

#[test]
fn a_crash_between_the_object_and_the_confirmation_loses_nothing() {
    let sqlite = log_of(20);
    let (ledger, store) = (Ledger::new(&sqlite), Memory::default());
    sqlite.fail_at("INSERT INTO audit_segments");
    let problem = step(&ledger, &store).unwrap_err();
    assert_eq!(problem.code, Code::RecordUnavailable);
    assert_eq!((kept(&sqlite).len(), sqlite.count("audit_segments")), (20, 0));
    let object = store.objects.borrow().clone();
    sqlite.heal();
    assert_eq!(step(&ledger, &store), Ok(true));
    assert_eq!(*store.objects.borrow(), object, "the same object again");
    assert_eq!(kept(&sqlite).first(), Some(&6));
}

#[test]
fn a_confirmation_that_fails_in_the_middle_deletes_nothing() {
    let sqlite = log_of(20);
    sqlite.fail_at("DELETE FROM audit");
    step(&Ledger::new(&sqlite), &Memory::default()).unwrap_err();
    assert_eq!((kept(&sqlite).len(), sqlite.count("audit_segments")), (20, 0));
}

#[test]
fn nothing_is_deleted_while_the_object_store_fails() {
    let sqlite = log_of(20);
    let (ledger, store) = (Ledger::new(&sqlite), Memory::default());
    store.fails.set(true);
    assert_eq!(
        step(&ledger, &store).unwrap_err().code,
        Code::BundleStoreUnavailable
    );
    assert_eq!(kept(&sqlite).len(), 20);
}

#[test]
fn a_repeated_confirmation_changes_nothing() {
    let sqlite = log_of(20);
    let (ledger, store) = (Ledger::new(&sqlite), Memory::default());
    ledger.lost.set((ConfirmSegment::NAME, 2));
    assert_eq!(step(&ledger, &store), Ok(true), "the third answer arrives");
    assert_eq!(kept(&sqlite).first(), Some(&6));
    let segment = audit_segments::segment(&sqlite, 1).unwrap().unwrap();
    let before = sqlite.dump("audit_segments");
    let again = confirm_segment(&sqlite, &ConfirmSegment { segment }, RULES, at(9)).unwrap();
    assert!(again.more);
    assert_eq!(sqlite.dump("audit_segments"), before);
    assert_eq!(kept(&sqlite).first(), Some(&6));
}

#[test]
fn a_segment_that_is_not_the_next_of_this_log_is_refused() {
    let sqlite = log_of(20);
    let due = read_segment(&sqlite, RULES).unwrap().unwrap();
    let write = |change: fn(&mut SegmentHeader)| {
        let mut header = due.header.clone();
        change(&mut header);
        SegmentRecord::write(header, &due.lines, &key()).unwrap().0
    };
    let another_hash = |header: &mut SegmentHeader| header.hash = header.previous;
    let mut unsigned = write(|_| {});
    unsigned.signature.signature = "00".repeat(64);
    let mut elsewhere = write(|_| {});
    elsewhere.object = "bundles/x".to_owned();
    for segment in [
        write(|header| header.first = 2),
        write(|header| header.first = 0),
        write(|header| header.previous = header.hash),
        write(another_hash),
        write(|header| header.last = 4),
        write(|header| header.last = 11),
        write(|header| header.last = 0),
        unsigned,
        elsewhere,
    ] {
        let problem = confirm_segment(
            &sqlite,
            &ConfirmSegment {
                segment: segment.clone(),
            },
            RULES,
            at(0),
        )
        .unwrap_err();
        assert_eq!(problem.code, Code::Internal, "{segment:?}");
        assert_eq!((kept(&sqlite).len(), sqlite.count("audit_segments")), (20, 0));
    }
    let confirmed = write(|_| {});
    confirm_segment(&sqlite, &ConfirmSegment { segment: confirmed }, RULES, at(0)).unwrap();
    let segment = write(another_hash);
    confirm_segment(&sqlite, &ConfirmSegment { segment }, RULES, at(0)).unwrap_err();
}
