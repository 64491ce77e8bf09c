//! A database of the version before the archive, with entries in it.

use deploy_api::audit::chain::Head;
use deploy_api::audit::{Outcome, Query};
use deploy_api::sql::{Sql, Value, migrate};
use deploy_api::store::{MIGRATIONS, audit_log};

use super::archive::{Ledger, Memory, archive};
use super::audit_log::entry;
use crate::support::audit::verify;
use crate::support::sqlite::Sqlite;

/// A database as the migrations up to `audit-0002` made it, with so many entries.
fn previous_version(entries: usize) -> Sqlite {
    let sqlite = Sqlite::empty();
    let last = MIGRATIONS
        .iter()
        .position(|migration| migration.name == "audit-0002")
        .unwrap();
    migrate(&sqlite, &MIGRATIONS[..=last]).unwrap();
    let mut head = Head::GENESIS;
    for _ in 0..entries {
        let previous = head.hash;
        let (next, canonical) = head.append(&entry(Outcome::Succeeded)).unwrap();
        head = next;
        sqlite
            .exec(
                "INSERT INTO audit (sequence, previous, hash, entry) VALUES (?, ?, ?, ?)",
                &[
                    Value::integer(head.size).unwrap(),
                    Value::from(previous.to_string()),
                    Value::from(head.hash.to_string()),
                    Value::from(canonical),
                ],
            )
            .unwrap();
    }
    sqlite
}

#[test]
fn its_log_is_paged_verified_continued_and_archived_after_the_migration() {
    let sqlite = previous_version(22);
    let stored = sqlite.dump("audit");
    migrate(&sqlite, MIGRATIONS).unwrap();
    assert_eq!(sqlite.dump("audit"), stored);
    assert_eq!(verify(&sqlite).unwrap().size, 22);
    let query = Query::parse([("worker", "agents"), ("limit", "20")]).unwrap();
    let page = audit_log::find(&sqlite, &query).unwrap();
    assert_eq!((page.links.len(), page.cursor), (20, Some(3)));

    assert_eq!(audit_log::append(&sqlite, &entry(Outcome::Succeeded)), Ok(23));
    sqlite
        .exec("DELETE FROM audit WHERE sequence = 1", &[])
        .unwrap_err();
    let store = Memory::default();
    assert_eq!(archive(&Ledger::new(&sqlite), &store), 2);
    assert_eq!(store.segments()[0].header.first, 1);
    assert_eq!(verify(&sqlite).unwrap().size, 23);
    assert_eq!(sqlite.count("audit"), 13);
    migrate(&sqlite, MIGRATIONS).unwrap();
    assert_eq!(sqlite.count("audit"), 13);
}
