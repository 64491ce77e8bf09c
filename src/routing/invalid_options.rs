use thiserror::Error;

use crate::json::JsonError;

/// What is wrong with the limits or the outbound parameters of a rule or of a custom hostname.
#[derive(Debug, Error)]
pub enum InvalidOptions {
    /// An unknown key, a value of another type.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// `"limits": {}`.
    #[error("\"limits\" is empty: write \"cpu_ms\" or \"subrequests\", or leave it out")]
    LimitsEmpty,
    /// Zero, or more than the platform gives.
    #[error("\"limits\".\"{key}\" is {value}: write a whole number from 1 to {most}")]
    LimitRange {
        /// `cpu_ms` or `subrequests`.
        key: &'static str,
        /// As it was written.
        value: u32,
        /// The end of the range (see [`Limits`](super::Limits)).
        most: u32,
    },
    /// `"outbound": []`.
    #[error("\"outbound\" is not an object: write {{\"parameter\": value}}")]
    OutboundNoObject,
}
