use std::collections::BTreeMap;

use dotdo_names::Namespace;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;

use super::{Action, Outcome};
use crate::policy::WorkerPattern;
use crate::sql::{SqlError, Value};
use crate::time_filter;

/// The default number of entries of a page.
const DEFAULT_LIMIT: u32 = 100;

/// The most entries of a page.
const MAX_LIMIT: u32 = 1000;

/// Filters that compare a [`column`] of the table `audit` with a text.
const EQUALITIES: [&str; 10] = [
    "namespace",
    "worker",
    "deployment",
    "repository",
    "actor",
    "subject",
    "token",
    "rule",
    "request_id",
    "client",
];

/// The column that a filter compares with a value. The repository of a job is its name or its id: names contain a `/`.
fn column(filter: &'static str, value: &str) -> &'static str {
    let is_id = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    match filter {
        "repository" if is_id => "source_id",
        "repository" => "source",
        other => other,
    }
}

/// Columns with few values: an index on another column is more selective.
const COARSE: [&str; 3] = ["namespace", "outcome", "verb"];

/// By how much a clock may have been set back between two entries. Within it the order of times says nothing about the
/// order of the log.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(24);

/// From which place of the log on there can be times that are later than a given one by [`CLOCKS_DIFFER`]: one step in the
/// index of times, where a page in the order of the log would be looked for up to its end.
const AFTER: &str =
    "sequence > coalesce((SELECT sequence FROM audit WHERE time < ? ORDER BY time DESC LIMIT 1), 0)";

/// The same for the place up to which there can be times that are earlier.
const BEFORE: &str =
    "sequence < coalesce((SELECT sequence FROM audit WHERE time >= ? ORDER BY time LIMIT 1), 1e18)";

/// Which entries of the log to show. An entry meets every filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    equal: Vec<(&'static str, String)>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    oldest_first: bool,
    cursor: Option<u32>,
    limit: u32,
    readable: Option<Vec<(Namespace, WorkerPattern)>>,
}

/// A parameter of `GET /v1/audit` that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidQuery {
    /// There is no such parameter.
    #[error("there is no parameter {0:?}")]
    Unknown(String),
    /// A parameter twice, of which one would be ignored.
    #[error("the parameter {0:?} occurs twice")]
    Twice(String),
    /// A value that the parameter cannot have.
    #[error("the parameter {name:?} is {value:?}; write {expected}")]
    Value {
        /// The parameter.
        name: String,
        /// As written.
        value: String,
        /// What it may be.
        expected: String,
    },
}

impl Default for Query {
    fn default() -> Self {
        Self {
            equal: Vec::new(),
            since: None,
            until: None,
            oldest_first: false,
            cursor: None,
            limit: DEFAULT_LIMIT,
            readable: None,
        }
    }
}

/// A condition for entries about a Worker that one of the patterns matches in its namespace, or about such a namespace. A
/// pattern has only letters, digits, hyphens and a `*` at the end, as `GLOB` reads them.
const READABLE: &str = "EXISTS (SELECT 1 FROM json_each(?) AS readable
    WHERE namespace = readable.value ->> 'namespace'
        AND (worker IS NULL OR worker GLOB readable.value ->> 'workers'))";

/// Filters that find few entries, so that a page is found by their index.
const NARROW: [&str; 2] = ["deployment", "request_id"];

impl Query {
    /// The names of every parameter.
    pub fn parameters() -> impl Iterator<Item = &'static str> {
        EQUALITIES
            .into_iter()
            .chain(["outcome", "verb", "since", "until", "order", "cursor", "limit"])
    }

    /// Reads the decoded parameters of a request. Durations in `since` and `until` end at `now`.
    ///
    /// # Errors
    /// The first parameter that is unknown, occurs twice or cannot be read.
    pub fn parse<'a>(
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
        now: Timestamp,
    ) -> Result<Self, InvalidQuery> {
        let mut query = Self::default();
        let mut seen = Vec::new();
        for (name, value) in parameters {
            if seen.contains(&name) {
                return Err(InvalidQuery::Twice(name.to_owned()));
            }
            seen.push(name);
            query.read(name, value, now)?;
        }
        Ok(query)
    }

    fn read(&mut self, name: &str, value: &str, now: Timestamp) -> Result<(), InvalidQuery> {
        let wrong = |expected: String| InvalidQuery::Value {
            name: name.to_owned(),
            value: value.chars().take(100).collect(),
            expected,
        };
        let names_of = |names: Vec<&str>| format!("one of {}", names.join(", "));
        if let Some(name) = EQUALITIES.iter().find(|known| **known == name) {
            self.equal.push((column(name, value), value.to_owned()));
            return Ok(());
        }
        match name {
            "outcome" => {
                let outcome = Outcome::ALL.iter().find(|outcome| outcome.name() == value);
                let outcome = outcome
                    .ok_or_else(|| wrong(names_of(Outcome::ALL.iter().map(|o| o.name()).collect())))?;
                self.equal.push(("outcome", outcome.name().to_owned()));
            }
            "verb" => {
                let action = Action::from_name(value)
                    .ok_or_else(|| wrong(names_of(Action::ALL.iter().map(|a| a.name()).collect())))?;
                self.equal.push(("verb", action.name().to_owned()));
            }
            "since" | "until" => {
                let time =
                    time_filter::read(value, now).ok_or_else(|| wrong(time_filter::EXPECTED.to_owned()))?;
                *(if name == "since" {
                    &mut self.since
                } else {
                    &mut self.until
                }) = Some(time);
            }
            "order" => {
                self.oldest_first = match value {
                    "newest" => false,
                    "oldest" => true,
                    _ => return Err(wrong("newest or oldest".to_owned())),
                }
            }
            "cursor" => {
                let cursor = value
                    .parse()
                    .map_err(|_| wrong("the cursor of an earlier page".to_owned()))?;
                self.cursor = Some(cursor);
            }
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
                self.limit = limit.ok_or_else(|| wrong(format!("1 to {MAX_LIMIT}")))?;
            }
            _ => return Err(InvalidQuery::Unknown(name.chars().take(100).collect())),
        }
        Ok(())
    }

    /// The same for a caller who may read only some Workers: entries about others are left out, and so are those about no
    /// namespace. Entries about a namespace are shown to who may read something in it.
    #[must_use]
    pub fn limited_to(mut self, readable: Vec<(Namespace, WorkerPattern)>) -> Self {
        self.readable = Some(readable);
        self
    }

    /// Whether a page may have to pass over many entries that the caller may not read.
    #[must_use]
    pub fn needs_window(&self) -> bool {
        let names = |column: &str| self.equal.iter().any(|(name, _)| *name == column);
        let is_narrow = NARROW.into_iter().any(names) || (names("namespace") && names("worker"));
        self.readable.is_some() && !is_narrow
    }

    /// The place after which this page begins, as a sequence number.
    #[must_use]
    pub const fn cursor(&self) -> Option<u32> {
        self.cursor
    }

    /// A query for the sequence number up to which no entry is as late as `since`; `None` without `since`.
    #[must_use]
    pub fn before_since(&self) -> Option<(&'static str, Value)> {
        let long_before = self
            .since?
            .saturating_sub(CLOCKS_DIFFER)
            .unwrap_or(Timestamp::MIN);
        Some((
            "SELECT sequence FROM audit WHERE time < ? ORDER BY time DESC LIMIT 1",
            spelled(long_before),
        ))
    }

    /// A query for the sequence number from which on no entry is as early as `until`; `None` without `until`.
    #[must_use]
    pub fn after_until(&self) -> Option<(&'static str, Value)> {
        let long_after = self
            .until?
            .saturating_add(CLOCKS_DIFFER)
            .unwrap_or(Timestamp::MAX);
        Some((
            "SELECT sequence FROM audit WHERE time >= ? ORDER BY time LIMIT 1",
            spelled(long_after),
        ))
    }

    /// The most entries of the page.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Whether the oldest entry comes first.
    #[must_use]
    pub const fn is_oldest_first(&self) -> bool {
        self.oldest_first
    }

    /// The condition, the order and one row more than the page has (which tells whether there is another page), as
    /// SQL over the table `audit` with its bound values. No value of the request is part of the text.
    ///
    /// # Errors
    /// If the readable Workers cannot be written as JSON.
    pub fn to_sql(&self) -> Result<(String, Vec<Value>), SqlError> {
        self.to_sql_within(None)
    }

    /// The same for the entries in a range of sequence numbers.
    ///
    /// # Errors
    /// The errors of [`to_sql`](Self::to_sql).
    pub fn to_sql_within(&self, range: Option<(u64, u64)>) -> Result<(String, Vec<Value>), SqlError> {
        let mut conditions = Vec::new();
        let mut bindings = Vec::new();
        let is_fine = |name: &str| !COARSE.contains(&name);
        let is_about_something = self.equal.iter().any(|(column, _)| is_fine(column));
        let names_worker = self.equal.iter().any(|(column, _)| *column == "worker");
        for (column, value) in &self.equal {
            // SQLite does not know how often a value occurs in the log. A plus before a
            // column prevents it from using the coarser index. A Worker and its namespace have one index together.
            let is_aside =
                is_about_something && !is_fine(column) && !(names_worker && *column == "namespace");
            conditions.push(format!("{}{column} = ?", if is_aside { "+" } else { "" }));
            bindings.push(Value::from(value.as_str()));
        }
        if let Some(since) = self.since {
            conditions.push(format!("{AFTER} AND +time >= ?"));
            let long_before = since.saturating_sub(CLOCKS_DIFFER).unwrap_or(since);
            bindings.extend([long_before, since].map(spelled));
        }
        if let Some(until) = self.until {
            conditions.push(format!("{BEFORE} AND +time < ?"));
            let long_after = until.saturating_add(CLOCKS_DIFFER).unwrap_or(until);
            bindings.extend([long_after, until].map(spelled));
        }
        if let Some(cursor) = self.cursor {
            conditions.push(format!(
                "sequence {} ?",
                if self.oldest_first { ">" } else { "<" }
            ));
            bindings.push(Value::from(cursor));
        }
        if let Some((first, last)) = range {
            conditions.push("sequence BETWEEN ? AND ?".to_owned());
            bindings.extend([Value::integer(first)?, Value::integer(last)?]);
        }
        if let Some(readable) = &self.readable {
            conditions.push(READABLE.to_owned());
            bindings.push(patterns(readable)?);
        }
        bindings.push(Value::from(self.limit + 1));
        let mut sql = String::new();
        if !conditions.is_empty() {
            sql.push_str("WHERE ");
            sql.push_str(&conditions.join(" AND "));
            sql.push(' ');
        }
        sql.push_str(if self.oldest_first {
            "ORDER BY sequence LIMIT ?"
        } else {
            "ORDER BY sequence DESC LIMIT ?"
        });
        Ok((sql, bindings))
    }
}

/// The patterns as JSON, one value whatever their number: the database limits the number of bound values.
fn patterns(readable: &[(Namespace, WorkerPattern)]) -> Result<Value, SqlError> {
    let patterns: Vec<_> = readable
        .iter()
        .map(|(namespace, workers)| {
            BTreeMap::from([
                ("namespace", namespace.name().to_owned()),
                ("workers", workers.to_string()),
            ])
        })
        .collect();
    serde_json::to_string(&patterns)
        .map(Value::from)
        .map_err(|error| SqlError::Content {
            what: "list of readable Workers",
            reason: error.to_string(),
        })
}

/// A time in the format of the log.
fn spelled(time: Timestamp) -> Value {
    Value::from(format!("{time:.3}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bound_and_never_part_of_the_text() {
        let hostile = "x' OR 1=1 --";
        let query = Query::parse(
            [
                ("worker", hostile),
                ("outcome", "denied"),
                ("cursor", "7"),
                ("limit", "2"),
            ],
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        let (sql, bindings) = query.to_sql().unwrap();
        assert_eq!(
            sql,
            "WHERE worker = ? AND +outcome = ? AND sequence < ? ORDER BY sequence DESC LIMIT ?"
        );
        let expected = [
            Value::from(hostile),
            Value::from("denied"),
            Value::Integer(7),
            Value::Integer(3),
        ];
        assert_eq!(bindings, expected);
    }

    #[test]
    fn times_are_bound_in_the_spelling_of_the_log() {
        let query = Query::parse(
            [("since", "2026-11-24T12:00:00+01:00"), ("order", "oldest")],
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        let (sql, bindings) = query.to_sql().unwrap();
        assert_eq!(
            sql,
            format!("WHERE {AFTER} AND +time >= ? ORDER BY sequence LIMIT ?")
        );
        let times = ["2026-11-23T11:00:00.000Z", "2026-11-24T11:00:00.000Z"].map(Value::from);
        assert_eq!(bindings, [times.as_slice(), &[Value::Integer(101)]].concat());
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (parameters, message) in [
            (vec![("workers", "x")], r#"there is no parameter "workers""#),
            (
                vec![("worker", "x"), ("worker", "y")],
                r#"the parameter "worker" occurs twice"#,
            ),
            (
                vec![("limit", "0")],
                r#"the parameter "limit" is "0"; write 1 to 1000"#,
            ),
            (
                vec![("limit", "1001")],
                r#"the parameter "limit" is "1001"; write 1 to 1000"#,
            ),
            (
                vec![("cursor", "-1")],
                r#"the parameter "cursor" is "-1"; write the cursor of an earlier page"#,
            ),
            (
                vec![("outcome", "ok")],
                r#"the parameter "outcome" is "ok"; write one of intent, denied, succeeded, failed, rolled_back, unproven, replayed, unknown"#,
            ),
            (
                vec![("since", "now")],
                r#"the parameter "since" is "now"; write a time such as 2026-11-24T12:00:00Z, a date such as 2026-11-24, or a duration before now such as 90m, 1h or 2d"#,
            ),
        ] {
            let error = Query::parse(parameters, Timestamp::UNIX_EPOCH).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
