//! The deployments of all Workers, and of the Workers of a namespace.

use deploy_api::audit::{Action, Bundle};
use deploy_api::deployments::{Deployment, DeploymentHealth, DeploymentId, State};
use deploy_api::policy::WorkerPattern;
use deploy_api::sql::Sql;
use deploy_api::store::deployments;
use deploy_api::store::recent_deployments::{RecentDeployments, WINDOW, find};
use dotdo_names::Environment::{self, Production, Staging};
use dotdo_names::Namespace;

use crate::support::callers::{person, target};
use crate::support::sqlite::Sqlite;
use crate::support::time::at;

fn begin(sqlite: &Sqlite, second: i64, environment: Environment, worker: &str) {
    let deployment = Deployment {
        imported: None,
        id: DeploymentId::new(at(second), [1; 16]),
        target: target(environment, worker),
        action: Action::Deploy,
        state: State::Pending,
        intent: 1,
        bundle: Bundle::default(),
        annotations: deploy_api::audit::Annotations::default(),
        identity: person("alice").identity,
        token: None,
        source: None,
        previous: None,
        created: at(second),
        finished: None,
        etag: None,
        startup_time_ms: None,
        migration_tag: None,
        migrations: None,
        classes: None,
        tags: Vec::new(),
        failure: None,
        warnings: Vec::new(),
        revision: None,
        object: None,
        metadata: None,
        unresolved: None,
        health: DeploymentHealth::default(),
        expires: None,
    };
    deployments::begin(sqlite, &deployment, None).unwrap();
}

fn patterns(texts: &[&str]) -> Vec<(Namespace, WorkerPattern)> {
    texts
        .iter()
        .map(|text| (Staging.into(), WorkerPattern::parse(text).unwrap()))
        .collect()
}

fn all(readable: &[(Namespace, WorkerPattern)]) -> RecentDeployments<'_> {
    RecentDeployments {
        namespace: Some(Staging.into()),
        worker: None,
        readable,
        since: None,
        until: None,
        before: None,
        limit: 100,
    }
}

fn names(sqlite: &Sqlite, query: &RecentDeployments<'_>) -> Vec<String> {
    let (found, _) = find(sqlite, query).unwrap();
    found
        .iter()
        .map(|deployment| deployment.target.worker.to_string())
        .collect()
}

#[test]
fn they_are_filtered_by_worker_and_time_and_paged() {
    let sqlite = Sqlite::new();
    for (second, environment, worker) in [
        (0, Staging, "agents"),
        (60, Staging, "billing"),
        (120, Production, "agents"),
        (180, Staging, "agents-mail"),
        (240, Staging, "agents"),
    ] {
        begin(&sqlite, second, environment, worker);
    }
    let every = patterns(&["*"]);
    assert_eq!(
        names(&sqlite, &all(&every)),
        ["agents", "agents-mail", "billing", "agents"]
    );
    let some = patterns(&["agents", "mail-*"]);
    assert_eq!(names(&sqlite, &all(&some)), ["agents", "agents"]);
    let prefix = patterns(&["agents-*"]);
    assert_eq!(names(&sqlite, &all(&prefix)), ["agents-mail"]);
    assert_eq!(names(&sqlite, &all(&[])), [""; 0]);
    let within = RecentDeployments {
        since: Some(at(60)),
        until: Some(at(240)),
        ..all(&every)
    };
    assert_eq!(names(&sqlite, &within), ["agents-mail", "billing"]);
    let (first, next) = find(
        &sqlite,
        &RecentDeployments {
            limit: 3,
            ..all(&every)
        },
    )
    .unwrap();
    assert_eq!(first.len(), 3);
    let (rest, end) = find(
        &sqlite,
        &RecentDeployments {
            before: next,
            limit: 3,
            ..all(&every)
        },
    )
    .unwrap();
    assert_eq!((rest.len(), end), (1, None));
}

#[test]
fn a_page_covers_a_limited_number_of_deployments() {
    let sqlite = Sqlite::new();
    sqlite
        .transaction(|| {
            begin(&sqlite, 0, Staging, "agents");
            for second in 1..=i64::from(WINDOW) {
                begin(&sqlite, second, Staging, "billing");
            }
            Ok::<(), deploy_api::sql::SqlError>(())
        })
        .unwrap();
    let agents = patterns(&["agents"]);
    let (first, next) = find(&sqlite, &all(&agents)).unwrap();
    assert!(first.is_empty() && next.is_some());
    let (second, end) = find(
        &sqlite,
        &RecentDeployments {
            before: next,
            ..all(&agents)
        },
    )
    .unwrap();
    assert_eq!((second.len(), end), (1, None));
}

#[test]
fn the_list_of_all_namespaces_has_only_readable_workers() {
    let sqlite = Sqlite::new();
    for (second, environment, worker) in [
        (0, Staging, "agents"),
        (60, Production, "billing"),
        (120, Production, "agents"),
        (180, Staging, "billing"),
    ] {
        begin(&sqlite, second, environment, worker);
    }
    let mut readable = patterns(&["agents"]);
    readable.push((Production.into(), WorkerPattern::Every));
    let everywhere = RecentDeployments {
        namespace: None,
        ..all(&readable)
    };
    assert_eq!(names(&sqlite, &everywhere), ["agents", "billing", "agents"]);
    let agents = target(Staging, "agents").worker;
    let named = RecentDeployments {
        worker: Some(&agents),
        ..everywhere.clone()
    };
    assert_eq!(names(&sqlite, &named), ["agents", "agents"]);
    let in_production = RecentDeployments {
        namespace: Some(Production.into()),
        ..named
    };
    assert_eq!(names(&sqlite, &in_production), ["agents"]);
    let extreme = RecentDeployments {
        since: Some(jiff::Timestamp::MIN),
        until: Some(jiff::Timestamp::MAX),
        ..everywhere
    };
    assert_eq!(names(&sqlite, &extreme).len(), 3);
}
