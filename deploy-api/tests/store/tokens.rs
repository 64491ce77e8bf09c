use std::cell::Cell;

use deploy_api::attempt::AttemptId;
use deploy_api::identity::{Identity, Rejection, TOKEN_ENTROPY, Token, TokenKind};
use deploy_api::policy::Scope;
use deploy_api::store::tokens::{self, NewToken, TokenRecord};

use crate::support::callers::{grant, run, subject};
use crate::support::sqlite::Sqlite;
use crate::support::time::at;

fn token(entropy: u8) -> Token {
    Token::mint(TokenKind::Deploy, [entropy; TOKEN_ENTROPY])
}

fn store(sqlite: &Sqlite, token: &Token, max_uses: Option<u32>) {
    let identity = Identity::GithubRun(Box::new(run()));
    let grants = [grant(&["dotdo-staging"], &["agents"], &["deploy"])];
    let new = NewToken {
        token,
        identity: &identity,
        grants: &grants,
        created: at(0),
        expires: at(900),
        max_uses,
    };
    tokens::insert(sqlite, &new).unwrap();
}

/// A new attempt.
fn attempt() -> AttemptId {
    thread_local!(static COUNT: Cell<u8> = const { Cell::new(0) });
    COUNT.with(|count| count.set(count.get() + 1));
    AttemptId::new(at(1), [COUNT.with(Cell::get); 16])
}

#[test]
fn a_token_proves_its_identity_and_its_grants() {
    let sqlite = Sqlite::new();
    store(&sqlite, &token(1), None);
    let caller = tokens::spend(&sqlite, &token(1).hash(), &attempt(), at(1))
        .unwrap()
        .unwrap()
        .into_caller();
    assert_eq!(caller.identity, Identity::GithubRun(Box::new(run())));
    assert_eq!(caller.token, Some(token(1).id()));
    assert_eq!(
        caller.scope,
        Scope::Grants(vec![grant(&["dotdo-staging"], &["agents"], &["deploy"])])
    );
}

#[test]
fn a_token_is_rejected_with_the_specific_reason() {
    let sqlite = Sqlite::new();
    store(&sqlite, &token(1), None);
    let spend =
        |token: &Token, seconds| tokens::spend(&sqlite, &token.hash(), &attempt(), at(seconds)).unwrap();
    assert_eq!(spend(&token(2), 1), Err(Rejection::TokenUnknown));
    assert!(spend(&token(1), 899).is_ok());
    assert_eq!(spend(&token(1), 900), Err(Rejection::TokenExpired));
    tokens::revoke(&sqlite, &token(1).id(), at(10)).unwrap();
    assert_eq!(spend(&token(1), 11), Err(Rejection::TokenRevoked));
}

/// A count is a write. A client that reads pages of the audit log must not wait for one with each page.
#[test]
fn the_uses_of_a_token_without_a_maximum_are_counted_once_a_minute() {
    let sqlite = Sqlite::new();
    store(&sqlite, &token(1), None);
    let spend = |seconds| {
        let record = tokens::spend(&sqlite, &token(1).hash(), &attempt(), at(seconds))
            .unwrap()
            .unwrap();
        (record.uses, record.last_used)
    };
    assert_eq!(spend(1), (1, Some(at(1))));
    assert_eq!(spend(60), (1, Some(at(1))));
    assert_eq!(spend(61), (2, Some(at(61))));
}

#[test]
fn a_token_has_a_maximum_number_of_uses() {
    let sqlite = Sqlite::new();
    store(&sqlite, &token(1), Some(2));
    let spend = || {
        tokens::spend(&sqlite, &token(1).hash(), &attempt(), at(1))
            .unwrap()
            .map(|record| record.uses)
    };
    assert_eq!(
        [spend(), spend(), spend()],
        [Ok(1), Ok(2), Err(Rejection::TokenUsedUp)]
    );
}

#[test]
fn an_attempt_counts_as_one_use_however_often_its_message_is_sent() {
    let sqlite = Sqlite::new();
    store(&sqlite, &token(1), Some(1));
    let attempt = attempt();
    for _ in 0..3 {
        let spent = tokens::spend(&sqlite, &token(1).hash(), &attempt, at(1)).unwrap();
        assert_eq!(spent.map(|record| record.uses), Ok(1));
    }
}

#[test]
fn only_a_hash_of_the_token_is_stored() {
    let sqlite = Sqlite::new();
    store(&sqlite, &token(1), None);
    let secret = token(1).reveal().to_owned();
    let random = secret.trim_start_matches("dotdo_run_");
    let stored = tokens::get(&sqlite, &token(1).id()).unwrap().unwrap();
    assert!(!serde_json::to_string(&stored).unwrap().contains(random));
    sqlite.tamper(&format!(
        "CREATE TABLE found AS SELECT * FROM tokens
         WHERE id || kind || hash || identity || grants LIKE '%{random}%'"
    ));
    assert_eq!(sqlite.count("found"), 0);
}

#[test]
fn tokens_are_listed_by_page_and_kind() {
    let sqlite = Sqlite::new();
    for entropy in 0..5 {
        store(&sqlite, &token(entropy), None);
    }
    let identity = Identity::ApiToken {
        subject: subject("alice"),
    };
    let api = Token::mint(TokenKind::Api, [9; TOKEN_ENTROPY]);
    let new = NewToken {
        token: &api,
        identity: &identity,
        grants: &[],
        created: at(0),
        expires: at(900),
        max_uses: None,
    };
    tokens::insert(&sqlite, &new).unwrap();

    let first = tokens::list(&sqlite, None, None, 4).unwrap();
    let rest = tokens::list(&sqlite, None, first.last().map(|token| &token.id), 4).unwrap();
    let mut ids: Vec<_> = first.iter().chain(&rest).map(|token| token.id.clone()).collect();
    assert!(ids.is_sorted());
    ids.dedup();
    assert_eq!(ids.len(), 6);
    let api_only = tokens::list(&sqlite, Some(TokenKind::Api), None, 10).unwrap();
    assert_eq!(
        api_only.iter().map(TokenRecord::holder).collect::<Vec<_>>(),
        ["alice"]
    );
}

#[test]
fn deploy_tokens_are_deleted_after_a_day_and_api_tokens_are_kept() {
    let sqlite = Sqlite::new();
    store(&sqlite, &token(1), None);
    let identity = Identity::ApiToken {
        subject: subject("alice"),
    };
    let api = Token::mint(TokenKind::Api, [9; TOKEN_ENTROPY]);
    let new = NewToken {
        token: &api,
        identity: &identity,
        grants: &[],
        created: at(0),
        expires: at(900),
        max_uses: None,
    };
    tokens::insert(&sqlite, &new).unwrap();
    let day = 24 * 3600;
    tokens::forget(&sqlite, at(900 + day - 1)).unwrap();
    assert_eq!(sqlite.count("tokens"), 2);
    tokens::forget(&sqlite, at(900 + day)).unwrap();
    assert_eq!(sqlite.count("tokens"), 1);
    assert!(tokens::get(&sqlite, &api.id()).unwrap().is_some());
}
