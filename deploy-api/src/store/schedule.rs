//! When the reconciler does its regular work: archiving the audit log, deleting objects that no deployment needs, and comparing the
//! records with the upstream.

use jiff::{SignedDuration, Timestamp};

use crate::sql::{Sql, SqlError, Value};

/// The first run is an hour after the database was created.
pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE schedule (job TEXT PRIMARY KEY, due INTEGER NOT NULL) WITHOUT ROWID",
    "INSERT INTO schedule (job, due) VALUES
        ('archive', (CAST(strftime('%s', 'now') AS INTEGER) + 3600) * 1000),
        ('garbage', (CAST(strftime('%s', 'now') AS INTEGER) + 3600) * 1000)",
];

/// The first comparison with the upstream is ten minutes after the database was created or updated.
pub(super) const INSPECTION: &str = "INSERT INTO schedule (job, due)
    VALUES ('inspection', (CAST(strftime('%s', 'now') AS INTEGER) + 600) * 1000)";

/// A regular job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Moves old entries of the audit log to the bundle store.
    Archive,
    /// Deletes objects of the bundle store that no deployment needs.
    Garbage,
    /// Compares what the upstream has with what is recorded.
    Inspection,
}

impl Job {
    const ALL: [Self; 3] = [Self::Archive, Self::Garbage, Self::Inspection];

    const fn name(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Garbage => "garbage",
            Self::Inspection => "inspection",
        }
    }

    /// The time from one run to the next.
    const fn interval(self) -> SignedDuration {
        match self {
            Self::Archive => SignedDuration::from_hours(1),
            Self::Garbage => SignedDuration::from_hours(6),
            Self::Inspection => SignedDuration::from_mins(10),
        }
    }
}

/// Takes the jobs that are due, and schedules each for its next run.
///
/// # Errors
/// When the database fails.
pub fn take(sql: &impl Sql, now: Timestamp) -> Result<Vec<Job>, SqlError> {
    let mut taken = Vec::new();
    for job in Job::ALL {
        let next = now.saturating_add(job.interval()).unwrap_or(now);
        let rows = sql.exec(
            "UPDATE schedule SET due = ? WHERE job = ? AND due <= ? RETURNING 1",
            &[Value::from(next), Value::from(job.name()), Value::from(now)],
        )?;
        if !rows.is_empty() {
            taken.push(job);
        }
    }
    Ok(taken)
}

/// When the next job is due.
///
/// # Errors
/// When the database fails.
pub fn next_due(sql: &impl Sql) -> Result<Option<Timestamp>, SqlError> {
    let rows = sql.exec("SELECT min(due) FROM schedule", &[])?;
    rows.first().map_or(Ok(None), |row| row.optional_time(0))
}
