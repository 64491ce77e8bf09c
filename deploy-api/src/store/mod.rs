//! What is kept, and the statements that keep it: thin files over [`Sql`](crate::sql::Sql), one for each table.

pub mod asset_sessions;
pub mod audit_log;
pub mod deployments;
pub mod fingerprint_key;
pub mod lockouts;
pub mod locks;
pub mod migrations;
pub mod owed_probes;
pub mod policies;
pub mod recent_targets;
pub mod replays;
pub mod tokens;
pub mod workers;

use dotdo_names::{Environment, WorkerName};
use serde::{Deserialize, Serialize};

use crate::sql::{Migration, SqlError, Value};
use crate::target::Target;

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
        statements: deployments::TABLES,
    },
    Migration {
        name: "deployments-0002",
        statements: &[
            workers::TABLE,
            locks::TABLE,
            migrations::TABLE,
            recent_targets::TABLE,
            fingerprint_key::TABLE,
        ],
    },
    Migration {
        name: "deployments-0003",
        statements: asset_sessions::TABLES,
    },
    Migration {
        name: "deployments-0004",
        statements: &[owed_probes::TABLE],
    },
    Migration {
        name: "deployments-0005",
        statements: asset_sessions::WITH_INTENT,
    },
    Migration {
        name: "audit-0002",
        statements: audit_log::INDEXES,
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

fn read_target(namespace: &str, worker: &str) -> Result<Target, SqlError> {
    Ok(Target {
        environment: Environment::from_namespace(namespace)
            .ok_or_else(|| content("namespace", &"it is none of the platform's"))?,
        worker: WorkerName::parse(worker).map_err(|error| content("Worker's name", &error))?,
    })
}
