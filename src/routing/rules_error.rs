use thiserror::Error;

use super::problem::Problem;
use crate::json::JsonError;

/// Why `ROUTES` cannot be loaded.
#[derive(Debug, Error)]
pub enum RulesError {
    /// Not JSON, or not an array.
    #[error("ROUTES is not a JSON array of rules: {0}")]
    NotAnArray(JsonError),
    /// One rule is wrong in itself.
    #[error("{rule}: {problem}")]
    Rule {
        /// Its place in `ROUTES` and its pattern.
        rule: String,
        /// What is wrong with it.
        problem: Problem,
    },
    /// An earlier rule takes everything from a later one.
    #[error(
        "{rule} can never win, because {earlier} takes everything that it matches: put it in front, or remove it"
    )]
    NeverWins {
        /// The later rule's place in `ROUTES` and its pattern.
        rule: String,
        /// The earlier one's.
        earlier: String,
    },
}
