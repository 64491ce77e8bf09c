//! A database of the version before the ledger, with records in it.

use deploy_api::audit::chain::Head;
use deploy_api::audit::{Outcome, Query, Verb};
use deploy_api::deployments::{DeploymentId, State};
use deploy_api::identity::TokenId;
use deploy_api::sql::{Sql, Value, migrate};
use deploy_api::store::leases::LeaseState;
use deploy_api::store::{
    MIGRATIONS, audit_log, deployments, earlier_assets, health_checks, leases, tokens, workers,
};
use dotdo_names::Environment;
use jiff::Timestamp;

use super::archive::{Ledger, Memory, archive};
use super::audit_log::entry;
use crate::support::audit::verify;
use crate::support::callers::target;
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

/// The id of the deployment that serves.
const SERVING: &str = "01936b0e-9f00-7000-8000-000000000001";

/// The id of the deployment whose outcome is not known.
const PENDING: &str = "01936b0e-9f00-7000-8000-000000000002";

/// The SHA-256 of a token and of an asset.
const DIGEST: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Adds what the previous version wrote while a deploy waited for its upload, and a health check for its request.
fn add_records(sqlite: &Sqlite) {
    let deployment = |id: &str, worker: &str, state: &str, intent: u32| {
        format!(
            "INSERT INTO deployments (id, namespace, worker, verb, state, intent, fingerprint, bundle, identity, created,
                 tags, warnings, revision)
             VALUES ('{id}', 'dotdo-staging', '{worker}', 'deploy', '{state}', {intent}, 'f-{intent}',
                 '{{\"digest\":\"{DIGEST}\",\"metadata\":\"{DIGEST}\",\"modules\":[],\"bindings\":[]}}',
                 '{{\"kind\":\"api_token\",\"subject\":\"alice\"}}', 1800000000000, '[\"mine\"]', '[]', 1)"
        )
    };
    for statement in [
        "INSERT INTO open_intents (sequence) VALUES (2)".to_owned(),
        deployment(SERVING, "mail", "succeeded", 1),
        deployment(PENDING, "agents", "pending", 2),
        format!(
            "INSERT INTO workers (namespace, worker, deployment, tags, revision, probe_path, probe_expect)
             VALUES ('dotdo-staging', 'mail', '{SERVING}', '[\"mine\"]', 1, '/health', 200)"
        ),
        format!(
            "INSERT INTO owed_probes (namespace, worker, deployment) VALUES ('dotdo-staging', 'mail', '{SERVING}')"
        ),
        format!(
            "INSERT INTO assets (namespace, worker, hash, sha256, content_type)
             VALUES ('dotdo-staging', 'mail', 'a-hash', '{DIGEST}', 'text/css')"
        ),
        format!(
            "INSERT INTO asset_sessions (token, namespace, worker, manifest, expires, intent)
             VALUES ('{DIGEST}', 'dotdo-staging', 'mail', '{DIGEST}', 1800000000000, 1)"
        ),
        format!(
            "INSERT INTO tokens (id, kind, hash, identity, grants, created, expires, uses)
             VALUES ('{}', 'api', '{DIGEST}', '{{\"kind\":\"api_token\",\"subject\":\"alice\"}}', '[]', 1, 1900000000000, 7)",
            &DIGEST[..16]
        ),
    ] {
        sqlite.exec(&statement, &[]).unwrap();
    }
}

#[test]
fn its_open_intents_health_checks_deployments_and_tokens_are_kept() {
    let sqlite = previous_version(2);
    add_records(&sqlite);
    migrate(&sqlite, MIGRATIONS).unwrap();
    let [serving, pending] = [SERVING, PENDING].map(|id| DeploymentId::parse(id).unwrap());

    let agents = target(Environment::Staging, "agents");
    let lease = leases::of_worker(&sqlite, &agents).unwrap().unwrap();
    assert_eq!((lease.intent, lease.action), (2, Verb::Deploy));
    assert_eq!((lease.is_exclusive, lease.state), (true, LeaseState::Unknown));
    assert_eq!(leases::due(&sqlite, Timestamp::UNIX_EPOCH, 10).unwrap(), [lease]);
    let deployment = deployments::of_intent(&sqlite, 2).unwrap().unwrap();
    assert_eq!((deployment.id, deployment.state), (pending, State::Pending));

    let mail = target(Environment::Staging, "mail");
    let check = health_checks::of_worker(&sqlite, &mail).unwrap().unwrap();
    assert_eq!((&check.deployment, check.due), (&serving, Timestamp::UNIX_EPOCH));
    let worker = workers::get(&sqlite, &mail).unwrap().unwrap();
    assert_eq!(worker.deployment.as_ref(), Some(&serving));
    assert_eq!((worker.tags, worker.revision), (vec!["mine".to_owned()], 1));
    assert_eq!(worker.probe.unwrap().path, "/health");
    let deployment = deployments::get(&sqlite, &serving).unwrap().unwrap();
    assert_eq!((deployment.state, deployment.object), (State::Succeeded, None));
    let asset = earlier_assets::find(&sqlite, &mail, "a-hash").unwrap().unwrap();
    assert_eq!(asset.sha256.to_string(), DIGEST);

    let token = tokens::get(&sqlite, &TokenId::parse(&DIGEST[..16]).unwrap())
        .unwrap()
        .unwrap();
    assert_eq!((token.uses, token.revoked), (7, None));
}
