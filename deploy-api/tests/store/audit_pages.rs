use deploy_api::audit::{Action, Client, Entry, Outcome, Query};
use deploy_api::sql::{Sql, migrate};
use deploy_api::store::{MIGRATIONS, audit_log};
use serde_json::json;

use super::audit_log::{entry, large_log, log_of};
use crate::support::audit::verify;
use crate::support::sqlite::Sqlite;
use crate::support::time::at;

#[test]
fn consecutive_pages_have_no_gaps() {
    let sqlite = log_of(5);
    let page = |parameters: &[(&str, &str)]| {
        let page =
            audit_log::find(&sqlite, &Query::parse(parameters.iter().copied(), at(0)).unwrap()).unwrap();
        (
            page.links.iter().map(|link| link.sequence).collect::<Vec<_>>(),
            page.cursor,
        )
    };
    assert_eq!(page(&[("limit", "2")]), (vec![5, 4], Some(4)));
    assert_eq!(page(&[("limit", "2"), ("cursor", "4")]), (vec![3, 2], Some(2)));
    assert_eq!(page(&[("limit", "2"), ("cursor", "2")]), (vec![1], None));
    assert_eq!(
        page(&[("limit", "3"), ("order", "oldest")]),
        (vec![1, 2, 3], Some(3))
    );
    assert_eq!(
        page(&[("limit", "3"), ("order", "oldest"), ("cursor", "3")]),
        (vec![4, 5], None)
    );
}

/// In an earlier version, 60 deploys of 990 modules with long names resulted in a page of 28 MiB.
#[test]
fn a_page_has_at_most_1_mib_and_the_next_continues_after_it() {
    let sqlite = large_log(8, 300_000);
    let page = |parameters: &[(&str, &str)]| {
        let page =
            audit_log::find(&sqlite, &Query::parse(parameters.iter().copied(), at(0)).unwrap()).unwrap();
        (
            page.links.iter().map(|link| link.sequence).collect::<Vec<_>>(),
            page.cursor,
        )
    };
    assert_eq!(page(&[]), (vec![8, 7, 6], Some(6)));
    assert_eq!(page(&[("cursor", "6")]), (vec![5, 4, 3], Some(3)));
    assert_eq!(page(&[("cursor", "3")]), (vec![2, 1], None));
    assert_eq!(page(&[("order", "oldest")]), (vec![1, 2, 3], Some(3)));
    assert_eq!(page(&[("limit", "2")]), (vec![8, 7], Some(7)));
    assert_eq!(
        page(&[("worker", "agents"), ("cursor", "4")]),
        (vec![3, 2, 1], None)
    );
}

#[test]
fn an_entry_that_is_larger_than_a_page_is_a_page_by_itself() {
    let sqlite = large_log(3, 1_500_000);
    let page = audit_log::find(&sqlite, &Query::default()).unwrap();
    assert_eq!((page.links.len(), page.cursor), (1, Some(3)));
}

#[test]
fn every_filter_finds_its_entries_and_no_others() {
    let sqlite = log_of(1);
    let client = Client {
        address: Some("192.0.2.9".to_owned()),
        request_id: "ray-2".to_owned(),
    };
    audit_log::append(
        &sqlite,
        &Entry::new(at(60), Action::Lock, Outcome::Denied, client),
    )
    .unwrap();
    let found = |name, value| {
        let page = audit_log::find(&sqlite, &Query::parse([(name, value)], at(0)).unwrap()).unwrap();
        page.links.iter().map(|link| link.sequence).collect::<Vec<_>>()
    };
    for (name, value) in [
        ("namespace", "dotdo-staging"),
        ("worker", "agents"),
        ("verb", "deploy"),
        ("outcome", "succeeded"),
        ("repository", "drivly/agents"),
        ("actor", "octocat"),
        ("client", "192.0.2.1"),
        ("request_id", "ray-1"),
        ("until", "2027-01-15T08:00:01Z"),
    ] {
        assert_eq!(found(name, value), [1], "{name}");
    }
    assert_eq!(found("client", "192.0.2.9"), [2]);
    assert_eq!(found("since", "2027-01-15T08:00:01Z"), [2]);
    for name in ["worker", "deployment", "token", "rule", "subject"] {
        assert_eq!(found(name, "other"), [0_u64; 0], "{name}");
    }
}

#[test]
fn the_jobs_of_every_service_are_found_by_their_repository() {
    let sqlite = log_of(1);
    let gitlab = json!({
        "kind": "gitlab_job", "iss": "https://gitlab.com", "project_id": "20", "project_path": "acme/agents",
        "namespace_id": "72", "namespace_path": "acme", "ref_path": "refs/heads/main", "sha": "714a", "pipeline_source": "push",
        "user_login": "sample", "user_id": "1", "pipeline_id": "574", "job_id": "302",
    });
    let buildkite = json!({
        "kind": "buildkite_job", "iss": "https://agent.buildkite.com", "organization_id": "0184990a",
        "organization_slug": "acme", "pipeline_slug": "shop", "ref": "refs/heads/main", "sha": "b5ff", "build_number": "5",
        "job_id": "01945ecf",
    });
    for identity in [gitlab, buildkite] {
        let entry = Entry {
            identity: Some(serde_json::from_value(identity).unwrap()),
            ..entry(Outcome::Succeeded)
        };
        audit_log::append(&sqlite, &entry).unwrap();
    }
    for (repository, expected) in [
        ("drivly/agents", vec![1]),
        ("1001", vec![1]),
        ("acme/agents", vec![2]),
        ("20", vec![2]),
        ("acme/shop", vec![3]),
        ("acme", vec![]),
        ("", vec![]),
    ] {
        let query = Query::parse([("repository", repository)], at(0)).unwrap();
        let page = audit_log::find(&sqlite, &query).unwrap();
        let found: Vec<u64> = page.links.iter().map(|link| link.sequence).collect();
        assert_eq!(found, expected, "{repository}");
    }
}

/// The query plan of a page.
fn plan(parameters: &[(&str, &str)]) -> Vec<String> {
    let sqlite = Sqlite::new();
    let query = Query::parse(parameters.iter().copied(), at(0)).unwrap();
    let (condition, bindings) = query.to_sql().unwrap();
    sqlite
        .exec(
            &format!("SELECT sequence, octet_length(entry) FROM audit {condition}"),
            &bindings,
        )
        .unwrap();
    sqlite.plan_of_last()
}

#[test]
fn a_page_query_uses_the_index_of_its_most_selective_filter_without_sorting() {
    let time = "2026-11-24T12:00:00Z";
    for (parameters, found) in [
        // The query reads from the end of the log, which the query plan calls a scan.
        (vec![], "SCAN audit"),
        (vec![("worker", "x")], "audit_by_worker_anywhere (worker=?)"),
        (
            vec![("worker", "x"), ("namespace", "y"), ("verb", "deploy")],
            "audit_by_worker (worker=? AND namespace=?)",
        ),
        (
            vec![("verb", "deploy"), ("worker", "x"), ("outcome", "denied")],
            "audit_by_worker_anywhere (worker=?)",
        ),
        (
            vec![("worker", "x"), ("since", time)],
            "audit_by_worker_anywhere (worker=? AND rowid>?)",
        ),
        (
            vec![("worker", "x"), ("cursor", "7")],
            "audit_by_worker_anywhere (worker=? AND rowid<?)",
        ),
        (vec![("namespace", "x")], "audit_by_namespace (namespace=?)"),
        (vec![("verb", "deploy")], "audit_by_verb (verb=?)"),
        (vec![("outcome", "denied")], "audit_by_outcome (outcome=?)"),
        (
            vec![("verb", "deploy"), ("outcome", "denied")],
            "audit_by_verb_and_outcome (verb=? AND outcome=?)",
        ),
        (vec![("repository", "x")], "audit_by_source (source=?)"),
        (vec![("repository", "7")], "audit_by_source_id (source_id=?)"),
        (
            vec![("actor", "x"), ("verb", "deploy")],
            "audit_by_actor (actor=?)",
        ),
        (
            vec![("subject", "x"), ("namespace", "y")],
            "audit_by_subject (subject=?)",
        ),
        (vec![("token", "x")], "audit_by_token (token=?)"),
        (vec![("rule", "x")], "audit_by_rule (rule=?)"),
        (vec![("client", "x")], "audit_by_client (client=?)"),
        (vec![("request_id", "x")], "audit_by_request_id (request_id=?)"),
        (vec![("deployment", "x")], "audit_by_deployment (deployment=?)"),
        (
            vec![("since", time)],
            "SEARCH audit USING INTEGER PRIMARY KEY (rowid>?)",
        ),
        (
            vec![("until", time), ("since", time)],
            "SEARCH audit USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
    ] {
        let plan = plan(&parameters);
        assert!(plan[0].ends_with(found), "{parameters:?}: {plan:?}");
        for step in &plan {
            assert!(!step.contains("TEMP B-TREE"), "{parameters:?}: {plan:?}");
        }
        let timed = parameters
            .iter()
            .filter(|(name, _)| ["since", "until"].contains(name));
        let lookups = plan.iter().filter(|step| step.contains("audit_by_time (time"));
        assert_eq!(lookups.count(), timed.count(), "{parameters:?}: {plan:?}");
    }
}

#[test]
fn a_time_filter_finds_entries_after_the_clock_was_set_back() {
    let sqlite = Sqlite::new();
    let client = Client::default();
    for seconds in [10, 30, 20, 40] {
        let entry = Entry::new(at(seconds), Action::Lock, Outcome::Denied, client.clone());
        audit_log::append(&sqlite, &entry).unwrap();
    }
    let found = |parameters: &[(&str, &str)]| {
        let query = Query::parse(parameters.iter().copied(), at(0)).unwrap();
        let links = audit_log::find(&sqlite, &query).unwrap().links;
        links.iter().map(|link| link.sequence).collect::<Vec<_>>()
    };
    let [late, later] = [at(25).to_string(), at(35).to_string()];
    assert_eq!(found(&[("since", &late)]), [4, 2]);
    assert_eq!(found(&[("until", &late), ("order", "oldest")]), [1, 3]);
    assert_eq!(found(&[("since", &late), ("until", &later)]), [2]);
    assert_eq!(found(&[("since", &at(50).to_string())]), [0_u64; 0]);
    assert_eq!(found(&[("until", &at(0).to_string())]), [0_u64; 0]);
}

#[test]
fn a_time_filter_finds_entries_in_a_log_of_many_days() {
    const DAY: i64 = 86_400;
    let sqlite = Sqlite::new();
    for day in [0, 2, 4, 6, 8] {
        let entry = Entry::new(at(day * DAY), Action::Lock, Outcome::Denied, Client::default());
        audit_log::append(&sqlite, &entry).unwrap();
    }
    for (since, until, found) in [
        (Some(4), None, vec![5, 4, 3]),
        (Some(5), None, vec![5, 4]),
        (Some(9), None, vec![]),
        (Some(100), None, vec![]),
        (None, Some(4), vec![2, 1]),
        (None, Some(0), vec![]),
        (Some(1), Some(7), vec![4, 3, 2]),
        (Some(-100), Some(100), vec![5, 4, 3, 2, 1]),
    ] {
        let text = |day: i64| at(day * DAY).to_string();
        let parameters: Vec<_> = [("since", since.map(text)), ("until", until.map(text))]
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)))
            .collect();
        let parameters = parameters.iter().map(|(name, text)| (*name, text.as_str()));
        let page = audit_log::find(&sqlite, &Query::parse(parameters, at(0)).unwrap()).unwrap();
        let sequences: Vec<_> = page.links.iter().map(|link| link.sequence).collect();
        assert_eq!(sequences, found, "{since:?} to {until:?}");
    }
}

#[test]
fn a_log_without_an_index_gets_the_index() {
    let sqlite = log_of(3);
    sqlite.tamper(
        "DELETE FROM migrations WHERE name = 'audit-0002'; DROP INDEX audit_by_worker_anywhere;
         DROP INDEX audit_by_namespace; DROP INDEX audit_by_verb_and_outcome; DROP INDEX audit_by_actor;
         DROP INDEX audit_by_rule; DROP INDEX audit_by_client; DROP INDEX audit_by_request_id;",
    );
    migrate(&sqlite, MIGRATIONS).unwrap();
    let query = Query::parse([("rule", "none"), ("worker", "agents")], at(0)).unwrap();
    assert!(audit_log::find(&sqlite, &query).unwrap().links.is_empty());
    let query = Query::parse([("worker", "agents")], at(0)).unwrap();
    assert_eq!(audit_log::find(&sqlite, &query).unwrap().links.len(), 3);
    assert!(verify(&sqlite).is_ok());
}
