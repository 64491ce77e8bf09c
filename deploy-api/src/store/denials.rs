//! Repeated denials, which are counted before they are recorded: the first denial of a key is an entry of the audit log
//! at once, its repeats within ten minutes are one entry with a count.
//!
//! The sum of the counts of all entries and of the repeats in the table is the number of denials.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value as Json};

use super::audit_log::{self, AppendError};
use crate::audit::Entry;
use crate::sql::{Row, Sql, SqlError, Value};

/// `entry` is the entry of the last repeat without its time and count, or of the first denial if `repeats` is 0.
pub(super) const TABLES: &[&str] = &[
    "CREATE TABLE denials (
        key TEXT PRIMARY KEY, began INTEGER NOT NULL, repeats INTEGER NOT NULL, entry TEXT NOT NULL
    ) WITHOUT ROWID",
    "CREATE INDEX denials_by_age ON denials (began)",
    "CREATE INDEX denials_to_flush ON denials (began) WHERE repeats > 0",
];

/// For how long the repeats of a denial are only counted.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(10);

/// The most keys that are counted. If there is one more, the oldest is flushed.
pub const MAX_KEYS: u32 = 10_000;

/// The most entries that one call of [`flush`] appends.
pub const MAX_FLUSHED: u32 = 200;

/// Records a denial. `key` says which denials are repeats of each other; `entry` is the denial, with a count of 1 or none.
/// Returns the sequence number of the appended entry, or `None` if the denial is only counted.
///
/// A denial after the window is appended together with the repeats that are not recorded yet, as one entry.
///
/// # Errors
/// When the denial is neither appended nor counted.
pub fn record(sql: &impl Sql, key: &str, entry: &Entry, now: Timestamp) -> Result<Option<u64>, AppendError> {
    sql.transaction(|| {
        let stored = sql.exec(
            "SELECT key, began, repeats, entry FROM denials WHERE key = ?",
            &[Value::from(key)],
        )?;
        let Some(counted) = stored.first().map(Counted::read).transpose()? else {
            make_room(sql, now)?;
            let sequence = append(sql, to_json(entry)?, 1, now)?;
            begin(sql, key, entry, now)?;
            return Ok(Some(sequence));
        };
        if now.duration_since(counted.began) >= WINDOW {
            let sequence = append(sql, to_json(entry)?, counted.repeats + 1, now)?;
            begin(sql, key, entry, now)?;
            return Ok(Some(sequence));
        }
        sql.exec(
            "UPDATE denials SET repeats = repeats + 1, entry = ? WHERE key = ?",
            &[super::write_json("denial", entry)?, Value::from(key)],
        )?;
        Ok(None)
    })
}

/// Appends an entry for each key whose window has ended and that has repeats, at most [`MAX_FLUSHED`], the oldest first.
/// Returns when to call it again, which can be now, or `None` if no repeats are left.
///
/// # Errors
/// When the database fails. Nothing is flushed then.
pub fn flush(sql: &impl Sql, now: Timestamp) -> Result<Option<Timestamp>, AppendError> {
    let ended = Value::from(now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN));
    sql.transaction(|| {
        let rows = sql.exec(
            "SELECT key, began, repeats, entry FROM denials WHERE repeats > 0 AND began <= ? ORDER BY began LIMIT ?",
            &[ended.clone(), Value::from(MAX_FLUSHED)],
        )?;
        for row in &rows {
            Counted::read(row)?.flush(sql, now)?;
        }
        sql.exec("DELETE FROM denials WHERE repeats = 0 AND began <= ?", &[ended])?;
        Ok(next_flush(sql)?)
    })
}

/// When [`flush`] has something to append, or `None` if no repeats are counted.
///
/// # Errors
/// When the database fails.
pub fn next_flush(sql: &impl Sql) -> Result<Option<Timestamp>, SqlError> {
    let rows = sql.exec("SELECT min(began) FROM denials WHERE repeats > 0", &[])?;
    let began = rows.first().map_or(Ok(None), |row| row.optional_time(0))?;
    Ok(began.map(|began| began.saturating_add(WINDOW).unwrap_or(Timestamp::MAX)))
}

/// A stored key.
struct Counted {
    key: String,
    began: Timestamp,
    repeats: u64,
    entry: Map<String, Json>,
}

impl Counted {
    fn read(row: &Row) -> Result<Self, SqlError> {
        Ok(Self {
            key: row.text(0)?.to_owned(),
            began: row.time(1)?,
            repeats: row.unsigned(2)?,
            entry: super::read_json("denial", row.text(3)?)?,
        })
    }

    /// Appends the repeats, if there are any, and removes the key.
    fn flush(self, sql: &impl Sql, now: Timestamp) -> Result<(), AppendError> {
        if self.repeats > 0 {
            append(sql, self.entry, self.repeats, now)?;
        }
        sql.exec("DELETE FROM denials WHERE key = ?", &[Value::from(self.key)])?;
        Ok(())
    }
}

/// Starts the window of a key without repeats.
fn begin(sql: &impl Sql, key: &str, entry: &Entry, now: Timestamp) -> Result<(), SqlError> {
    sql.exec(
        "INSERT OR REPLACE INTO denials (key, began, repeats, entry) VALUES (?, ?, 0, ?)",
        &[
            Value::from(key),
            Value::from(now),
            super::write_json("denial", entry)?,
        ],
    )
    .map(drop)
}

/// Flushes the oldest keys, so that one more has room.
fn make_room(sql: &impl Sql, now: Timestamp) -> Result<(), AppendError> {
    let excess = sql.exec(
        "SELECT max(count(*) - ?, 0) FROM denials",
        &[Value::from(MAX_KEYS - 1)],
    )?;
    let excess = excess.first().map_or(Ok(0), |row| row.unsigned(0))?;
    if excess > 0 {
        let oldest = sql.exec(
            "SELECT key, began, repeats, entry FROM denials ORDER BY began LIMIT ?",
            &[Value::integer(excess)?],
        )?;
        for row in &oldest {
            Counted::read(row)?.flush(sql, now)?;
        }
    }
    Ok(())
}

/// Appends an entry that stands for `count` denials.
fn append(
    sql: &impl Sql,
    mut entry: Map<String, Json>,
    count: u64,
    now: Timestamp,
) -> Result<u64, AppendError> {
    entry.insert("time".to_owned(), Json::from(format!("{now:.3}")));
    entry.remove("count");
    if count > 1 {
        entry.insert("count".to_owned(), Json::from(count));
    }
    audit_log::write(sql, &Json::Object(entry))
}

fn to_json(entry: &Entry) -> Result<Map<String, Json>, SqlError> {
    match serde_json::to_value(entry) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(_) => Err(super::content("denial", &"it is not an object")),
        Err(error) => Err(super::content("denial", &error)),
    }
}
