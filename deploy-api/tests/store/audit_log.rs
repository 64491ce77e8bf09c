use deploy_api::audit::chain::{Break, Broken, Head};
use deploy_api::audit::{Action, Client, Entry, Outcome};
use deploy_api::sql::Sql;
use deploy_api::store::audit_batch;
use deploy_api::store::audit_log::{self, AppendError};
use dotdo_names::Environment;

use crate::support::audit::verify;
use crate::support::callers::{caller, run, target};
use crate::support::sqlite::Sqlite;
use crate::support::time::at;

pub fn entry(outcome: Outcome) -> Entry {
    let client = Client {
        address: Some("192.0.2.1".to_owned()),
        request_id: "ray-1".to_owned(),
    };
    Entry::new(at(0), Action::Deploy, outcome, client)
        .about(&target(Environment::Staging, "agents"))
        .by(&caller(run()))
}

pub fn log_of(entries: usize) -> Sqlite {
    let sqlite = Sqlite::new();
    for _ in 0..entries {
        audit_log::append(&sqlite, &entry(Outcome::Succeeded)).unwrap();
    }
    sqlite
}

/// A log with entries of this size in bytes.
pub fn large_log(entries: usize, bytes: usize) -> Sqlite {
    let sqlite = Sqlite::new();
    for _ in 0..entries {
        let mut large = entry(Outcome::Succeeded);
        large.deployment = Some("x".repeat(bytes));
        audit_log::append(&sqlite, &large).unwrap();
    }
    sqlite
}

/// Drops the triggers that protect the log, and executes a statement that they would reject.
fn forge(sqlite: &Sqlite, statement: &str) {
    sqlite.tamper("DROP TRIGGER audit_is_never_changed; DROP TRIGGER audit_is_never_shortened;");
    sqlite.tamper(statement);
}

fn broken_at(sqlite: &Sqlite) -> Option<Broken> {
    verify(sqlite).err()
}

#[test]
fn entries_are_numbered_without_gaps_and_the_chain_verifies() {
    let sqlite = log_of(1201);
    let verified = verify(&sqlite).unwrap();
    assert_eq!(verified.size, 1201);
    assert_eq!(
        audit_log::head(&sqlite).unwrap(),
        Head {
            size: 1201,
            hash: verified.head
        }
    );
    assert_eq!(verify(&Sqlite::new()).unwrap().size, 0);
}

#[test]
fn the_log_cannot_be_changed_or_shortened() {
    let sqlite = log_of(3);
    for statement in [
        "UPDATE audit SET entry = '{}' WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 3",
    ] {
        let error = sqlite.exec(statement, &[]).unwrap_err();
        assert!(
            error.to_string().contains("the audit log is append-only"),
            "{error}"
        );
    }
    assert_eq!(broken_at(&sqlite), None);
}

#[test]
fn the_first_invalid_entry_and_its_error_are_reported() {
    for (statement, sequence, matches) in [
        (
            "UPDATE audit SET entry = replace(entry, 'agents', 'mallory') WHERE sequence = 3",
            3,
            (|how| matches!(how, Break::Content { .. })) as fn(&Break) -> bool,
        ),
        ("UPDATE audit SET hash = 'x' WHERE sequence = 3", 3, |how| {
            *how == Break::Unreadable
        }),
        (
            "UPDATE audit SET entry = json_set(entry, '$.n', 0.5) WHERE sequence = 3",
            3,
            |how| matches!(how, Break::Form(_)),
        ),
        ("DELETE FROM audit WHERE sequence = 3", 3, |how| {
            *how == Break::Sequence(4)
        }),
        (
            "UPDATE audit SET hash = (SELECT hash FROM audit WHERE sequence = 2) WHERE sequence = 3",
            3,
            |how| matches!(how, Break::Content { .. }),
        ),
        (
            "UPDATE audit SET previous = (SELECT hash FROM audit WHERE sequence = 1) WHERE sequence = 3",
            3,
            |how| matches!(how, Break::Previous { .. }),
        ),
        (
            "DELETE FROM audit WHERE sequence = 3; UPDATE audit SET sequence = sequence - 1 WHERE sequence > 3",
            3,
            |how| matches!(how, Break::Previous { .. }),
        ),
    ] {
        let sqlite = log_of(6);
        forge(&sqlite, statement);
        let broken = broken_at(&sqlite).unwrap();
        assert_eq!(broken.sequence, sequence, "{statement}");
        assert!(matches(&broken.how), "{statement}: {broken}");
    }
}

#[test]
fn pitfall_15_an_entry_that_cannot_be_written_is_an_error_and_leaves_nothing() {
    let sqlite = log_of(1);
    sqlite.fail_at("INSERT INTO open_intents");
    assert!(matches!(
        audit_log::append(&sqlite, &entry(Outcome::Intent)),
        Err(AppendError::Sql(_))
    ));
    assert_eq!(sqlite.count("audit"), 1);
}

#[test]
fn an_intent_is_open_until_it_is_closed_once() {
    let sqlite = log_of(1);
    let intent = audit_log::append(&sqlite, &entry(Outcome::Intent)).unwrap();
    assert_eq!(sqlite.count("open_intents"), 1);

    let outcome = Entry {
        intent: Some(intent),
        ..entry(Outcome::Succeeded)
    };
    audit_log::append(&sqlite, &outcome).unwrap();
    assert_eq!(sqlite.count("open_intents"), 0);
    assert_eq!(
        audit_log::append(&sqlite, &outcome),
        Err(AppendError::IntentNotOpen(intent))
    );
    assert_eq!(sqlite.count("audit"), 3, "a second outcome is not recorded");
}

#[test]
fn a_verification_step_reads_at_most_1000_entries_and_the_next_continues() {
    let sqlite = log_of(1001);
    let first = audit_batch::verify_step(&sqlite, None).unwrap().unwrap();
    assert_eq!((first.first, first.head.size, first.is_last), (1, 1000, false));
    let last = audit_batch::verify_step(&sqlite, Some(first.head))
        .unwrap()
        .unwrap();
    assert_eq!(
        (last.head, last.is_last),
        (audit_log::head(&sqlite).unwrap(), true)
    );

    audit_log::append(&sqlite, &entry(Outcome::Succeeded)).unwrap();
    let later = audit_batch::verify_step(&sqlite, Some(last.head))
        .unwrap()
        .unwrap();
    assert_eq!(later.head.size, 1002, "a cursor of the end continues later");
}

#[test]
fn a_verification_step_reads_at_most_1_mib() {
    let sqlite = large_log(5, 300_000);
    let step = audit_batch::verify_step(&sqlite, None).unwrap().unwrap();
    assert_eq!((step.head.size, step.is_last), (3, false));
    assert_eq!(verify(&sqlite).unwrap().size, 5);
    let step = audit_batch::verify_step(&large_log(2, 1_500_000), None)
        .unwrap()
        .unwrap();
    assert_eq!(
        (step.head.size, step.is_last),
        (1, false),
        "one entry is always read"
    );
}

#[test]
fn a_verification_that_continues_finds_what_was_replaced_in_between() {
    let sqlite = log_of(5);
    let head = audit_log::head(&sqlite).unwrap();
    let after = |from: Head| audit_batch::verify_step(&sqlite, Some(from)).unwrap();
    assert!(after(head).is_ok());
    let longer = Head { size: 6, ..head };
    let another = Head {
        hash: Head::GENESIS.hash,
        ..head
    };
    for (from, sequence) in [(longer, 6), (another, 5)] {
        let broken = after(from).unwrap_err();
        assert_eq!((broken.sequence, broken.how), (sequence, Break::Replaced));
    }
    let earlier = Head { size: 3, ..another };
    assert!(matches!(
        after(earlier),
        Err(Broken {
            sequence: 4,
            how: Break::Previous { .. }
        })
    ));
}
