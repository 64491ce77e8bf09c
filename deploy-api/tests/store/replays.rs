use deploy_api::identity::oidc::ProvenJob;
use deploy_api::identity::{GITHUB_ISSUER, Identity};
use deploy_api::store::replays;

use crate::support::callers::run;
use crate::support::sqlite::Sqlite;
use crate::support::time::at;

fn proven(token_id: &str) -> ProvenJob {
    ProvenJob {
        identity: Identity::GithubRun(Box::new(run())),
        issuer: GITHUB_ISSUER.to_owned(),
        token_id: token_id.to_owned(),
        expires: at(300),
    }
}

#[test]
fn a_token_is_new_once_for_each_issuer() {
    let sqlite = Sqlite::new();
    assert_eq!(replays::is_first(&sqlite, &proven("a")), Ok(true));
    assert_eq!(replays::is_first(&sqlite, &proven("a")), Ok(false));
    assert_eq!(replays::is_first(&sqlite, &proven("b")), Ok(true));
    let mut other = proven("a");
    other.issuer = "https://other.example".to_owned();
    assert_eq!(replays::is_first(&sqlite, &other), Ok(true));
}

#[test]
fn a_token_id_is_stored_for_longer_than_its_token_is_valid() {
    let sqlite = Sqlite::new();
    replays::is_first(&sqlite, &proven("a")).unwrap();
    // A token is accepted for 30 seconds after its expiry.
    replays::forget(&sqlite, at(300 + 30)).unwrap();
    assert_eq!(replays::is_first(&sqlite, &proven("a")), Ok(false));
    replays::forget(&sqlite, at(300 + 60)).unwrap();
    assert_eq!(sqlite.count("replays"), 0);
}
