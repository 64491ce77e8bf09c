//! Repeated denials are few entries, and each denial is counted.

use deploy_api::audit::{Action, Client, Entry, Outcome, Query};
use deploy_api::store::audit_log;
use deploy_api::store::denials::{self, MAX_FLUSHED, MAX_KEYS, WINDOW};
use jiff::Timestamp;
use serde_json::Value;

use crate::support::audit::verify;
use crate::support::sqlite::Sqlite;
use crate::support::time::at;

/// The length of the window in seconds.
const MINUTES_10: i64 = 600;

fn denial(worker: &str, now: Timestamp) -> Entry {
    let client = Client {
        address: None,
        request_id: format!("ray-{}", now.as_second()),
    };
    let mut entry = Entry::new(now, Action::Deploy, Outcome::Denied, client);
    entry.worker = Some(worker.to_owned());
    entry
}

fn record(sqlite: &Sqlite, key: &str, seconds: i64) -> Option<u64> {
    denials::record(sqlite, key, &denial(key, at(seconds)), at(seconds)).unwrap()
}

fn entries(sqlite: &Sqlite) -> Vec<Value> {
    let query = Query::parse([("order", "oldest"), ("limit", "1000")], at(0)).unwrap();
    let links = audit_log::find(sqlite, &query).unwrap().links;
    links
        .into_iter()
        .map(|link| serde_json::from_str(link.entry.get()).unwrap())
        .collect()
}

/// For each entry: the Worker, the number of denials, and the seconds since the beginning.
fn summary(sqlite: &Sqlite) -> Vec<(String, u64, i64)> {
    let entries = entries(sqlite);
    let of = |entry: &Value| {
        let time: Timestamp = entry["time"].as_str().unwrap().parse().unwrap();
        (
            entry["worker"].as_str().unwrap().to_owned(),
            entry["count"].as_u64().unwrap_or(1),
            time.as_second() - at(0).as_second(),
        )
    };
    entries.iter().map(of).collect()
}

#[test]
fn a_thousand_repeats_make_two_entries() {
    let sqlite = Sqlite::new();
    assert_eq!(record(&sqlite, "a", 0), Some(1), "the first is recorded at once");
    for repeat in 0..1000 {
        assert_eq!(record(&sqlite, "a", repeat / 2), None);
    }
    assert_eq!(
        denials::flush(&sqlite, at(MINUTES_10 - 1)),
        Ok(Some(at(MINUTES_10)))
    );
    assert_eq!(sqlite.count("audit"), 1, "the window is not over");
    assert_eq!(denials::flush(&sqlite, at(MINUTES_10)), Ok(None));
    assert_eq!(
        summary(&sqlite),
        [("a".to_owned(), 1, 0), ("a".to_owned(), 1000, 600)]
    );
    let [first, repeats] = entries(&sqlite).try_into().unwrap();
    assert_eq!(first.get("count"), None);
    assert_eq!(
        repeats["client"]["request_id"],
        format!("ray-{}", at(499).as_second()),
        "the entry is that of the last repeat"
    );
    assert_eq!(repeats["outcome"], "denied");
    assert_eq!(sqlite.count("denials"), 0);
    assert_eq!(denials::flush(&sqlite, at(MINUTES_10 * 2)), Ok(None));
    assert_eq!(verify(&sqlite).unwrap().size, 2);
}

#[test]
fn a_denial_after_the_window_is_recorded_together_with_the_repeats() {
    let sqlite = Sqlite::new();
    for seconds in [0, 1, 2, 599] {
        record(&sqlite, "a", seconds);
    }
    assert_eq!(record(&sqlite, "a", 600), Some(2));
    assert_eq!(record(&sqlite, "a", 601), None, "a new window begins");
    assert_eq!(record(&sqlite, "a", 1300), Some(3));
    assert_eq!(
        record(&sqlite, "a", 2000),
        Some(4),
        "without repeats it counts once"
    );
    let counts: Vec<_> = summary(&sqlite).into_iter().map(|(_, count, _)| count).collect();
    assert_eq!(counts, [1, 4, 2, 1]);
}

#[test]
fn keys_do_not_mix() {
    let sqlite = Sqlite::new();
    for (key, seconds) in [("a", 0), ("b", 1), ("a", 2), ("b", 3), ("b", 4)] {
        record(&sqlite, key, seconds);
    }
    assert_eq!(denials::flush(&sqlite, at(600)), Ok(Some(at(601))));
    assert_eq!(denials::flush(&sqlite, at(601)), Ok(None));
    let summary = summary(&sqlite);
    assert_eq!(
        summary,
        [
            ("a".to_owned(), 1, 0),
            ("b".to_owned(), 1, 1),
            ("a".to_owned(), 1, 600),
            ("b".to_owned(), 2, 601)
        ]
    );
}

#[test]
fn the_time_of_the_next_flush_is_that_of_the_oldest_repeats() {
    let sqlite = Sqlite::new();
    assert_eq!(denials::next_flush(&sqlite), Ok(None));
    record(&sqlite, "a", 0);
    assert_eq!(denials::next_flush(&sqlite), Ok(None), "nothing is to be flushed");
    record(&sqlite, "b", 5);
    record(&sqlite, "b", 6);
    assert_eq!(denials::next_flush(&sqlite), Ok(at(5).checked_add(WINDOW).ok()));
}

#[test]
fn a_flush_is_done_in_parts_and_forgets_keys_without_repeats() {
    let sqlite = Sqlite::new();
    let keys = i64::from(MAX_FLUSHED) + 1;
    for key in 0..keys {
        record(&sqlite, &format!("k{key}"), 0);
        record(&sqlite, &format!("k{key}"), 1);
    }
    record(&sqlite, "once", 0);
    let again = denials::flush(&sqlite, at(700)).unwrap();
    assert_eq!(again, Some(at(600)), "the rest is due now");
    assert_eq!(sqlite.count("denials"), 1);
    assert_eq!(denials::flush(&sqlite, at(700)), Ok(None));
    assert_eq!(sqlite.count("denials"), 0);
    assert_eq!(i64::from(sqlite.count("audit")), keys * 2 + 1);
}

#[test]
fn a_denial_that_cannot_be_recorded_changes_nothing() {
    let sqlite = Sqlite::new();
    record(&sqlite, "a", 0);
    record(&sqlite, "a", 1);
    for (statement, key, seconds) in [
        ("INSERT INTO audit", "b", 2),
        ("INSERT OR REPLACE INTO denials", "b", 2),
        ("UPDATE denials", "a", 2),
        ("INSERT OR REPLACE INTO denials", "a", 700),
    ] {
        sqlite.fail_at(statement);
        let entry = denial(key, at(seconds));
        assert!(
            denials::record(&sqlite, key, &entry, at(seconds)).is_err(),
            "{statement}"
        );
        sqlite.heal();
    }
    sqlite.fail_at("DELETE FROM denials WHERE key");
    assert!(denials::flush(&sqlite, at(700)).is_err());
    sqlite.heal();
    assert_eq!((sqlite.count("audit"), sqlite.count("denials")), (1, 1));
    denials::flush(&sqlite, at(700)).unwrap();
    assert_eq!(
        summary(&sqlite),
        [("a".to_owned(), 1, 0), ("a".to_owned(), 1, 700)]
    );
}

#[test]
fn the_oldest_key_is_flushed_when_there_are_too_many() {
    let sqlite = Sqlite::new();
    record(&sqlite, "oldest", 0);
    record(&sqlite, "oldest", 1);
    record(&sqlite, "oldest", 1);
    let rest = MAX_KEYS - 1;
    sqlite.tamper(&format!(
        "WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < {rest})
         INSERT INTO denials SELECT 'k' || value, {}, 0, '{{}}' FROM n",
        at(2).as_millisecond()
    ));
    assert_eq!(sqlite.count("denials"), MAX_KEYS);
    record(&sqlite, "newest", 3);
    assert_eq!(sqlite.count("denials"), MAX_KEYS);
    assert_eq!(
        summary(&sqlite),
        [
            ("oldest".to_owned(), 1, 0),
            ("oldest".to_owned(), 2, 3),
            ("newest".to_owned(), 1, 3)
        ]
    );
    assert_eq!(record(&sqlite, "oldest", 4), Some(4), "its window has ended");
}

#[test]
fn no_denial_is_lost_in_any_order() {
    let sqlite = Sqlite::new();
    let mut denied = 0;
    for seconds in 0..5000 {
        // Keys repeat with different periods, so that windows end at different times.
        let key = format!("k{}", (seconds * 7 + seconds / 13) % 17);
        record(&sqlite, &key, seconds);
        denied += 1;
        if seconds % 97 == 0 {
            denials::flush(&sqlite, at(seconds)).unwrap();
        }
    }
    denials::flush(&sqlite, at(6000)).unwrap();
    let recorded: u64 = summary(&sqlite).iter().map(|(_, count, _)| count).sum();
    assert_eq!(recorded, denied);
    assert!(sqlite.count("audit") < 400, "{}", sqlite.count("audit"));
}
