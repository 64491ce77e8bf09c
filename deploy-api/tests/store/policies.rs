use deploy_api::store::policies::{self, PolicyCache};

use crate::support::sqlite::Sqlite;
use crate::support::time::at;

const EMPTY: &str = r#"{"version": 1, "rules": []}"#;
const ALICE: &str = r#"{"version": 1, "rules": [{"name": "alice", "who": {"token": "alice"},
    "namespaces": ["dotdo-staging"], "workers": ["agents"], "actions": ["deploy"]}]}"#;

#[test]
fn without_a_policy_nothing_is_allowed() {
    let active = PolicyCache::default().active(&Sqlite::new()).unwrap();
    assert_eq!((active.version, active.policy.rules().len()), (0, 0));
}

#[test]
fn every_version_is_kept_and_the_last_one_is_active() {
    let sqlite = Sqlite::new();
    let cache = PolicyCache::default();
    assert_eq!(policies::put(&sqlite, EMPTY, "alice", at(0)).unwrap().version, 1);
    assert_eq!(cache.active(&sqlite).unwrap().version, 1);
    assert_eq!(policies::put(&sqlite, ALICE, "bob", at(1)).unwrap().version, 2);
    let active = cache.active(&sqlite).unwrap();
    assert_eq!((active.version, active.policy.rules().len()), (2, 1));

    let (first, document) = policies::get(&sqlite, 1).unwrap().unwrap();
    assert_eq!((first.created_by.as_str(), document.as_str()), ("alice", EMPTY));
    let versions = |before| {
        let listed = policies::list(&sqlite, before, 10).unwrap();
        listed.iter().map(|version| version.version).collect::<Vec<_>>()
    };
    assert_eq!(versions(None), [2, 1]);
    assert_eq!(versions(Some(2)), [1]);
    assert_eq!(policies::get(&sqlite, 3), Ok(None));
}

#[test]
fn a_stored_policy_that_does_not_load_allows_nothing() {
    let sqlite = Sqlite::new();
    policies::put(&sqlite, "{}", "alice", at(0)).unwrap();
    assert!(PolicyCache::default().active(&sqlite).is_err());
}
