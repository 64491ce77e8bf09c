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
        problem: String,
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

/// What is wrong with a rule, in a sentence.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn told(problem: &Problem<'_>) -> String {
    problem.to_string()
}

/// The Worker leaves out the sentences, which would be a fifteenth of what every isolate loads: `npm run deploy` has told
/// them before a rule gets here.
#[cfg(target_arch = "wasm32")]
pub(super) fn told(_: &Problem<'_>) -> String {
    "it cannot be loaded; `npm run check` says what to write instead".to_owned()
}
