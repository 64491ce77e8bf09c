//! The tables of the ledger and their SQL statements, over [`Sql`](crate::sql::Sql): one file for each table.

pub mod answers;
pub mod audit_archive;
pub mod audit_batch;
pub mod audit_log;
pub mod audit_segments;
pub mod batch_limits;
pub mod denials;
pub mod deployment_objects;
mod deployment_rows;
pub mod deployments;
pub mod drifts;
pub mod earlier_assets;
pub mod health;
pub mod health_checks;
pub mod leases;
pub mod lockouts;
pub mod locks;
pub mod migrations;
pub mod object_classes;
pub mod policies;
pub mod previews;
pub mod recent_deployments;
pub mod remote_versions;
pub mod replays;
pub mod schedule;
pub mod tokens;
pub mod upstream_calls;
pub mod workers;

use dotdo_names::{Namespace, WorkerName};
use serde::{Deserialize, Serialize};

use crate::sql::{Migration, SqlError, Value};
use crate::target::Target;

/// The key of fingerprints is a Worker secret now.
const FINGERPRINT_KEY: &str =
    "CREATE TABLE fingerprint_key (only INTEGER PRIMARY KEY CHECK (only = 1), key TEXT NOT NULL)";

/// Calls of wrangler that do not name a namespace do not depend on earlier calls any more.
const RECENT_TARGETS: &str = "CREATE TABLE recent_targets (
    token TEXT NOT NULL, worker TEXT NOT NULL, namespace TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (token, worker)
) WITHOUT ROWID";

/// Every table, to be given to [`migrate`](crate::sql::migrate) before use.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "identity-0001",
        statements: &[tokens::TABLE, tokens::INDEX],
    },
    Migration {
        name: "identity-0002",
        statements: &[replays::TABLE, replays::INDEX],
    },
    Migration {
        name: "identity-0003",
        statements: &[lockouts::TABLE, lockouts::INDEX],
    },
    Migration {
        name: "policy-0001",
        statements: &[policies::TABLE],
    },
    Migration {
        name: "audit-0001",
        statements: audit_log::TABLES,
    },
    Migration {
        name: "deployments-0001",
        statements: deployment_rows::TABLES,
    },
    Migration {
        name: "deployments-0002",
        statements: &[
            workers::TABLE,
            locks::TABLE,
            migrations::TABLE,
            RECENT_TARGETS,
            FINGERPRINT_KEY,
        ],
    },
    Migration {
        name: "deployments-0003",
        statements: earlier_assets::TABLES,
    },
    Migration {
        name: "deployments-0004",
        statements: &[health_checks::EARLIER_TABLE],
    },
    Migration {
        name: "deployments-0005",
        statements: earlier_assets::WITH_INTENT,
    },
    Migration {
        name: "audit-0002",
        statements: audit_log::INDEXES,
    },
    Migration {
        name: "ledger-0001",
        statements: answers::TABLES,
    },
    Migration {
        name: "ledger-0002",
        statements: leases::TABLES,
    },
    Migration {
        name: "ledger-0003",
        statements: health_checks::TABLES,
    },
    Migration {
        name: "ledger-0004",
        statements: deployment_rows::OBJECTS,
    },
    Migration {
        name: "ledger-0005",
        statements: &[tokens::WITH_ATTEMPT],
    },
    Migration {
        name: "ledger-0006",
        statements: earlier_assets::WITHOUT_SESSIONS,
    },
    Migration {
        name: "audit-0003",
        statements: audit_segments::TABLES,
    },
    Migration {
        name: "audit-0004",
        statements: denials::TABLES,
    },
    Migration {
        name: "ledger-0007",
        statements: schedule::TABLES,
    },
    Migration {
        name: "ledger-0008",
        statements: &[upstream_calls::TABLE],
    },
    Migration {
        name: "deployments-0006",
        statements: &[deployment_rows::ANNOTATIONS],
    },
    Migration {
        name: "deployments-0007",
        statements: &[recent_deployments::INDEX],
    },
    Migration {
        name: "gateway-0001",
        statements: &["DROP TABLE recent_targets"],
    },
    Migration {
        name: "deployments-0008",
        statements: object_classes::TABLES,
    },
    Migration {
        name: "ledger-0009",
        statements: &[health::TABLE],
    },
    Migration {
        name: "deployments-0009",
        statements: deployment_rows::REDEPLOYABLE,
    },
    Migration {
        name: "deployments-0010",
        statements: &[deployment_rows::HEALTH, workers::HEALTH_PROOF],
    },
    Migration {
        name: "drift-0001",
        statements: &[
            remote_versions::TABLE,
            drifts::TABLE,
            leases::SENT,
            schedule::INSPECTION,
        ],
    },
    Migration {
        name: "deployments-0011",
        statements: &[deployment_rows::IMPORTED],
    },
    Migration {
        name: "audit-0005",
        statements: audit_log::SOURCES,
    },
    Migration {
        name: "previews-0001",
        statements: &[previews::TABLE, previews::INDEX, deployment_rows::EXPIRES],
    },
];

fn content(what: &'static str, reason: &impl ToString) -> SqlError {
    SqlError::Content {
        what,
        reason: reason.to_string(),
    }
}

fn read_json<'a, T: Deserialize<'a>>(what: &'static str, text: &'a str) -> Result<T, SqlError> {
    serde_json::from_str(text).map_err(|error| content(what, &error))
}

fn write_json<T: Serialize>(what: &'static str, value: &T) -> Result<Value, SqlError> {
    serde_json::to_string(value)
        .map(Value::from)
        .map_err(|error| content(what, &error))
}

/// The columns that name a Worker: `namespace`, `worker`.
fn key(target: &Target) -> [Value; 2] {
    [
        Value::from(target.namespace()),
        Value::from(target.worker.as_str()),
    ]
}

fn read_target(namespace: &str, worker: &str) -> Result<Target, SqlError> {
    Ok(Target {
        namespace: Namespace::from_name(namespace)
            .ok_or_else(|| content("namespace", &"it is not a namespace of the platform"))?,
        worker: WorkerName::parse(worker).map_err(|error| content("Worker's name", &error))?,
    })
}
