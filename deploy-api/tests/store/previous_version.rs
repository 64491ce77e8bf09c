//! A database of the version before the ledger, with records in it.

use deploy_api::audit::chain::Head;
use deploy_api::audit::{Action, Outcome, Query};
use deploy_api::deployments::State;
use deploy_api::sql::{Sql, Value, migrate};
use deploy_api::store::leases::LeaseState;
use deploy_api::store::{MIGRATIONS, audit_log, deployments, earlier_assets, health_checks, leases, workers};
use dotdo_names::Environment;
use jiff::Timestamp;

use super::archive::{Ledger, Memory, archive};
use super::audit_log::entry;
use crate::support::audit::verify;
use crate::support::callers::target;
use crate::support::sqlite::Sqlite;
use crate::support::time::at;

/// The stored columns of the audit log. The others are generated from them.
const STORED_AUDIT: &str = "(SELECT sequence, previous, hash, entry FROM audit)";

/// A database as the migrations up to `audit-0002` created it, with this number of entries.
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
    let stored = sqlite.dump(STORED_AUDIT);
    migrate(&sqlite, MIGRATIONS).unwrap();
    assert_eq!(sqlite.dump(STORED_AUDIT), stored);
    assert_eq!(verify(&sqlite).unwrap().size, 22);
    let query = Query::parse([("worker", "agents"), ("limit", "20")], at(0)).unwrap();
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

/// A dump of a database that the version before the ledger wrote. A deploy to `dotdo-production` waits for the response of
/// Cloudflare, and the health check of a deployment in `dotdo-staging` has not run yet.
const DUMP: &str = include_str!("previous_version.sql");

#[test]
fn its_open_intents_health_checks_deployments_and_tokens_are_kept() {
    let sqlite = Sqlite::empty();
    sqlite.tamper(DUMP);
    let [audit, assets] = [STORED_AUDIT, "assets"].map(|table| sqlite.dump(table));
    migrate(&sqlite, MIGRATIONS).unwrap();

    assert_eq!(verify(&sqlite).unwrap().size, 21);
    assert_eq!(
        [audit, assets],
        [STORED_AUDIT, "assets"].map(|table| sqlite.dump(table))
    );
    for (table, count) in [
        ("tokens", 3),
        ("policies", 1),
        ("locks", 1),
        ("deployments", 7),
        ("workers", 3),
    ] {
        assert_eq!(sqlite.count(table), count, "{table}");
    }

    let in_production = target(Environment::Production, "agents");
    let lease = leases::of_worker(&sqlite, &in_production).unwrap().unwrap();
    assert_eq!((lease.intent, lease.action), (13, Action::Deploy));
    assert_eq!((lease.is_exclusive, lease.state), (true, LeaseState::Unknown));
    assert_eq!(leases::due(&sqlite, Timestamp::UNIX_EPOCH, 10).unwrap(), [lease]);
    let pending = deployments::of_intent(&sqlite, 13).unwrap().unwrap();
    assert_eq!(pending.state, State::Pending);

    let in_staging = target(Environment::Staging, "agents");
    let check = health_checks::of_worker(&sqlite, &in_staging).unwrap().unwrap();
    assert_eq!(check.due, Timestamp::UNIX_EPOCH);
    let worker = workers::get(&sqlite, &in_staging).unwrap().unwrap();
    assert_eq!(worker.deployment, Some(check.deployment.clone()));
    assert_eq!(worker.health_check.unwrap().path, "/");
    let serving = deployments::get(&sqlite, &check.deployment).unwrap().unwrap();
    assert_eq!((serving.state, serving.object), (State::Succeeded, None));
    let asset = earlier_assets::find(&sqlite, &in_staging, "00112233445566778899aabbccddeeff").unwrap();
    assert_eq!(asset.unwrap().content_type.as_deref(), Some("text/html"));
}
