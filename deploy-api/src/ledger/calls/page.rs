use serde::Serialize;

use crate::code::Code;
use crate::problem::Problem;

/// The default number of items of a page.
const DEFAULT_LIMIT: u32 = 100;

/// The most items of a page.
const MAX_LIMIT: u32 = 1000;

/// One page of a list.
#[derive(Debug, Serialize)]
pub(crate) struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The cursor of the next page; null on the last page.
    pub cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page from the items of a query for one item more than the page has.
    pub fn of(mut items: Vec<T>, limit: u32, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let cursor = if more { items.last().map(cursor) } else { None };
        Self { items, cursor }
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
