//! Leases: the open intents, each with the attempt that works on it.
//!
//! A row is written together with its intent in the audit log and deleted together with the intent's outcome. An exclusive
//! lease is the only one of its Worker; the lease of an asset session is not exclusive.

use dotdo_names::Namespace;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attempt::AttemptId;
use crate::audit::Action;
use crate::deployments::SentChange;
use crate::sql::{Row, Sql, SqlError, Value};
use crate::target::Target;

/// The open intents of an earlier version become leases without an attempt that works on them.
pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE leases (
        intent INTEGER PRIMARY KEY, attempt TEXT NOT NULL UNIQUE, namespace TEXT NOT NULL, worker TEXT NOT NULL,
        action TEXT NOT NULL, exclusive INTEGER NOT NULL, state TEXT NOT NULL, renewed INTEGER NOT NULL,
        due INTEGER NOT NULL
    )",
    "CREATE INDEX leases_by_worker ON leases (namespace, worker)",
    "CREATE INDEX leases_by_due ON leases (due)",
    "INSERT INTO leases (intent, attempt, namespace, worker, action, exclusive, state, renewed, due)
     SELECT audit.sequence, 'intent-' || audit.sequence, audit.namespace, audit.worker, audit.verb,
            audit.verb NOT IN ('asset_session', 'asset_upload'), 'unknown',
            CAST(round((julianday(audit.time) - 2440587.5) * 86400000) AS INTEGER), 0
     FROM audit WHERE audit.sequence IN (SELECT sequence FROM open_intents)
        AND audit.namespace IS NOT NULL AND audit.worker IS NOT NULL",
];

/// What was sent to the upstream.
pub(super) const SENT: &str = "ALTER TABLE leases ADD COLUMN sent TEXT";

/// The state of the attempt that has a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeaseState {
    /// It is in progress, or its process ended without a message.
    Held,
    /// It ended, and does not know whether the upstream executed the change.
    Unknown,
}

impl LeaseState {
    const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Unknown => "unknown",
        }
    }
}

/// An open intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The sequence number of the intent in the audit log.
    pub intent: u64,
    /// The attempt that holds it.
    pub attempt: AttemptId,
    /// The Worker that is changed.
    pub target: Target,
    /// The change.
    pub action: Action,
    /// Whether no other change of the Worker may begin.
    pub is_exclusive: bool,
    /// The state of the attempt.
    pub state: LeaseState,
    /// When the attempt renewed the lease last.
    pub renewed: Timestamp,
    /// When the reconciler inspects it.
    pub due: Timestamp,
    /// The change of secrets or tags that was sent to the upstream, if it was sent.
    #[serde(default)]
    pub sent: Option<SentChange>,
}

const COLUMNS: &str = "intent, attempt, namespace, worker, action, exclusive, state, renewed, due, sent";

fn read(row: &Row) -> Result<Lease, SqlError> {
    Ok(Lease {
        intent: row.unsigned(0)?,
        attempt: AttemptId::stored(row.text(1)?),
        target: super::read_target(row.text(2)?, row.text(3)?)?,
        action: Action::from_name(row.text(4)?)
            .ok_or_else(|| super::content("lease's action", &"unknown"))?,
        is_exclusive: row.integer(5)? != 0,
        state: if row.text(6)? == LeaseState::Held.name() {
            LeaseState::Held
        } else {
            LeaseState::Unknown
        },
        renewed: row.time(7)?,
        due: row.time(8)?,
        sent: row
            .optional_text(9)?
            .map(|text| super::read_json("sent change", text))
            .transpose()?,
    })
}

fn sent(lease: &Lease) -> Result<Value, SqlError> {
    match &lease.sent {
        Some(sent) => super::write_json("sent change", sent),
        None => Ok(Value::Null),
    }
}

/// Stores a lease.
///
/// # Errors
/// When the database fails.
pub fn insert(sql: &impl Sql, lease: &Lease) -> Result<(), SqlError> {
    sql.exec(
        "INSERT INTO leases (intent, attempt, namespace, worker, action, exclusive, state, renewed, due, sent)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &[
            Value::integer(lease.intent)?,
            Value::from(lease.attempt.as_str()),
            Value::from(lease.target.namespace()),
            Value::from(lease.target.worker.as_str()),
            Value::from(lease.action.name()),
            Value::from(lease.is_exclusive),
            Value::from(lease.state.name()),
            Value::from(lease.renewed),
            Value::from(lease.due),
            sent(lease)?,
        ],
    )
    .map(drop)
}

/// Changes who holds a lease, its state, its times and what was sent.
///
/// # Errors
/// When the database fails.
pub fn update(sql: &impl Sql, lease: &Lease) -> Result<(), SqlError> {
    sql.exec(
        "UPDATE leases SET attempt = ?, state = ?, renewed = ?, due = ?, sent = ? WHERE intent = ?",
        &[
            Value::from(lease.attempt.as_str()),
            Value::from(lease.state.name()),
            Value::from(lease.renewed),
            Value::from(lease.due),
            sent(lease)?,
            Value::integer(lease.intent)?,
        ],
    )
    .map(drop)
}

/// Deletes the lease of an intent that has an outcome.
///
/// # Errors
/// When the database fails.
pub fn delete(sql: &impl Sql, intent: u64) -> Result<(), SqlError> {
    sql.exec("DELETE FROM leases WHERE intent = ?", &[Value::integer(intent)?])
        .map(drop)
}

/// The lease that an attempt holds.
///
/// # Errors
/// When the database fails.
pub fn of_attempt(sql: &impl Sql, attempt: &AttemptId) -> Result<Option<Lease>, SqlError> {
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM leases WHERE attempt = ?"),
        &[Value::from(attempt.as_str())],
    )?;
    rows.first().map(read).transpose()
}

/// The exclusive lease of a Worker, the oldest if an earlier version left several.
///
/// # Errors
/// When the database fails.
pub fn of_worker(sql: &impl Sql, target: &Target) -> Result<Option<Lease>, SqlError> {
    let rows = sql.exec(
        &format!(
            "SELECT {COLUMNS} FROM leases WHERE namespace = ? AND worker = ? AND exclusive <> 0 ORDER BY intent LIMIT 1"
        ),
        &super::key(target),
    )?;
    rows.first().map(read).transpose()
}

/// The leases of the Workers of a namespace, the oldest first.
///
/// # Errors
/// When the database fails.
pub fn in_namespace(sql: &impl Sql, namespace: Namespace) -> Result<Vec<Lease>, SqlError> {
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM leases WHERE namespace = ? ORDER BY intent"),
        &[Value::from(namespace.name())],
    )?;
    rows.iter().map(read).collect()
}

/// The leases that the reconciler has to inspect by a time, the earliest first.
///
/// # Errors
/// When the database fails.
pub fn due(sql: &impl Sql, by: Timestamp, limit: u32) -> Result<Vec<Lease>, SqlError> {
    let rows = sql.exec(
        &format!("SELECT {COLUMNS} FROM leases WHERE due <= ? ORDER BY due LIMIT ?"),
        &[Value::from(by), Value::from(limit)],
    )?;
    rows.iter().map(read).collect()
}

/// When the next lease is due.
///
/// # Errors
/// When the database fails.
pub fn next_due(sql: &impl Sql) -> Result<Option<Timestamp>, SqlError> {
    let rows = sql.exec("SELECT due FROM leases ORDER BY due LIMIT 1", &[])?;
    rows.first().map(|row| row.time(0)).transpose()
}
