use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::cursor::CursorKey;
use crate::problem::Problem;
use crate::time_filter;

/// The default number of items of a page.
pub(crate) const DEFAULT_LIMIT: u32 = 100;

/// The most items of a page.
pub(crate) const MAX_LIMIT: u32 = 1000;

/// One page of a list.
#[derive(Debug, Serialize, Deserialize, Clone, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last page.
    pub cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page from the items of a query for one item more than the page has. `position` is the position after an item.
    pub(crate) fn of(
        mut items: Vec<T>,
        limit: u32,
        cursors: &Cursors<'_>,
        position: impl Fn(&T) -> String,
    ) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let last = if more { items.last().map(position) } else { None };
        Self {
            items,
            cursor: last.map(|position| cursors.seal(&position)),
        }
    }
}

/// The cursors of one list. A cursor of another list is invalid.
#[derive(Debug)]
pub(crate) struct Cursors<'a> {
    key: &'a CursorKey,
    list: String,
}

impl<'a> Cursors<'a> {
    /// The cursors of the list with this name.
    pub fn new(key: &'a CursorKey, list: impl Into<String>) -> Self {
        Self {
            key,
            list: list.into(),
        }
    }

    /// The cursor of a position.
    pub fn seal(&self, position: &str) -> String {
        self.key.seal(&self.list, position)
    }

    /// The position of a cursor, parsed by `read`.
    ///
    /// # Errors
    /// `PARAMETER_INVALID` for a cursor that this list did not return.
    pub fn open<T>(&self, cursor: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Problem> {
        let position = self.key.open(&self.list, cursor);
        position.and_then(|position| read(&position)).ok_or_else(|| {
            parameter_invalid(
                "The parameter \"cursor\" is not a cursor of this list.",
                "Write the cursor of an earlier page of the same list, or leave it out for the first page.",
            )
        })
    }
}

/// The decoded parameters of a request's query, each of which must be known and occur once.
#[derive(Debug)]
pub(crate) struct Parameters<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parameters<'a> {
    /// Takes the parameters of a request.
    ///
    /// # Errors
    /// `PARAMETER_INVALID` for a parameter that is not in `known`, or occurs twice.
    pub fn new(given: &[(&'a str, &'a str)], known: &[&str]) -> Result<Self, Problem> {
        for (index, (name, _)) in given.iter().enumerate() {
            if !known.contains(name) {
                return Err(parameter_invalid(
                    format!("There is no parameter {name:?}."),
                    format!("The parameters are {}.", known.join(", ")),
                ));
            }
            if given.iter().skip(index + 1).any(|(other, _)| other == name) {
                return Err(parameter_invalid(
                    format!("The parameter {name:?} occurs twice."),
                    "Send it once.",
                ));
            }
        }
        Ok(Self(given.to_vec()))
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(given, _)| *given == name)
            .map(|(_, value)| *value)
    }

    /// The value of a parameter, parsed by `read`.
    pub fn parse<T>(
        &self,
        name: &str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        self.get(name)
            .map(|value| {
                read(value).ok_or_else(|| {
                    let shown: String = value.chars().take(100).collect();
                    parameter_invalid(
                        format!("The parameter {name:?} is {shown:?}."),
                        format!("Write {expected}."),
                    )
                })
            })
            .transpose()
    }

    /// The time in a parameter such as `since`. Durations end at `now`.
    pub fn time(&self, name: &str, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
        self.parse(name, time_filter::EXPECTED, |value| time_filter::read(value, now))
    }

    /// The position in the parameter `cursor`, parsed by `read`.
    pub fn cursor<T>(
        &self,
        cursors: &Cursors<'_>,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        self.get("cursor")
            .map(|cursor| cursors.open(cursor, read))
            .transpose()
    }

    /// The parameter `dry_run`.
    pub fn is_dry_run(&self) -> Result<bool, Problem> {
        let is_dry_run = self.parse("dry_run", "true or false", |value| value.parse().ok())?;
        Ok(is_dry_run.unwrap_or(false))
    }

    /// The parameter `limit`.
    pub fn limit(&self) -> Result<u32, Problem> {
        let limit = self.parse("limit", &format!("1 to {MAX_LIMIT}"), |value| {
            value.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
        })?;
        Ok(limit.unwrap_or(DEFAULT_LIMIT))
    }
}

pub(crate) fn parameter_invalid(detail: impl Into<String>, fix: impl Into<String>) -> Problem {
    Problem::new(Code::ParameterInvalid, detail, fix)
}
