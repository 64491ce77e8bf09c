use deploy_api::identity::lockout::{LOCK, MAX_ADDRESSES, MAX_GUESSES};
use deploy_api::store::lockouts;

use crate::support::sqlite::Sqlite;
use crate::support::time::at;

#[test]
fn invalid_credentials_of_one_address_lock_it_out() {
    let sqlite = Sqlite::new();
    for _ in 0..MAX_GUESSES {
        lockouts::count_failure(&sqlite, "192.0.2.1", true, at(0)).unwrap();
    }
    let locked = |address| {
        lockouts::attempts(&sqlite, address)
            .unwrap()
            .and_then(|attempts| attempts.locked_for(at(1)))
    };
    assert_eq!(
        locked("192.0.2.1").map(|left| left.as_secs()),
        Some(LOCK.as_secs() - 1)
    );
    assert_eq!(locked("192.0.2.2"), None);
}

#[test]
fn the_number_of_stored_addresses_is_limited() {
    let sqlite = Sqlite::new();
    sqlite.tamper(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {MAX_ADDRESSES})
         INSERT INTO lockouts SELECT 'a' || i, {} + i, 0, 1, NULL FROM n",
        at(0).as_millisecond()
    ));
    lockouts::count_failure(&sqlite, "new", true, at(60)).unwrap();
    assert_eq!(sqlite.count("lockouts"), MAX_ADDRESSES);
    assert_eq!(
        lockouts::attempts(&sqlite, "a0"),
        Ok(None),
        "the oldest is removed"
    );
    assert!(lockouts::attempts(&sqlite, "a1").unwrap().is_some());
}

#[test]
fn an_address_is_removed_when_its_attempts_have_expired() {
    let sqlite = Sqlite::new();
    for _ in 0..MAX_GUESSES {
        lockouts::count_failure(&sqlite, "locked", true, at(0)).unwrap();
    }
    lockouts::count_failure(&sqlite, "typo", false, at(0)).unwrap();
    lockouts::forget(&sqlite, at(899)).unwrap();
    assert_eq!(sqlite.count("lockouts"), 2);
    lockouts::forget(&sqlite, at(900)).unwrap();
    assert_eq!(sqlite.count("lockouts"), 0);
}
