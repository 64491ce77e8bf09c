//! Valid tokens of other repositories.

use deploy_api::code::Code;
use deploy_api::identity::GitHubRun;
use serde_json::{Value, json};

use super::{api, with};
use crate::support::callers::run;
use crate::support::issuer::{claims, token};

#[test]
fn a_repository_with_the_same_name_and_another_id_is_denied() {
    let impostor = GitHubRun {
        repository_id: "666".to_owned(),
        repository_owner_id: "667".to_owned(),
        ..run()
    };
    let api = api();
    let problem = api.exchange(&token(&claims(&impostor))).unwrap_err();
    assert_eq!(problem.code, Code::PermissionDenied);
    assert_eq!(
        problem.notes,
        [
            "Rule \"agents-production\" expects repository_id 1001; the run has 666.",
            "Rule \"agents-production\" expects repository_owner_id 2002; the run has 667.",
        ]
    );
    assert_eq!(api.sql.count("tokens"), 0);
}

#[test]
fn the_claim_sub_is_ignored() {
    for sub in [Value::Null, json!("repo:evil/evil:ref:refs/heads/x"), json!(7)] {
        assert!(api().exchange(&token(&with(claims(&run()), "sub", sub))).is_ok());
    }
}
