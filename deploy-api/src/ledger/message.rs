//! What the gateway and the ledger say to each other: small JSON messages, each answered by `Result<Answer, Problem>`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::code::Code;
use crate::problem::Problem;

/// A message to the ledger. Repeating it changes nothing: what changes something carries an attempt id.
pub trait Message: Serialize + DeserializeOwned {
    /// Its name, which is unique: the last segment of the URL.
    const NAME: &'static str;
    /// The answer, unless it is a problem.
    type Answer: Serialize + DeserializeOwned;
}

/// Sends messages to the ledger: over the Durable Object's stub in the Worker, directly in native tests.
pub trait LedgerClient {
    /// Sends one message, JSON in and JSON out.
    ///
    /// # Errors
    /// When no answer came. The message may have been handled all the same, and may be sent again.
    fn exchange(
        &self,
        name: &'static str,
        message: String,
    ) -> impl Future<Output = Result<String, LedgerFailure>>;
}

/// No answer came from the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the ledger did not answer: {cause}")]
pub struct LedgerFailure {
    /// What the runtime says, for the log.
    pub cause: String,
}

/// How often a message is sent before the caller is told that the ledger does not answer.
const TRIES: u32 = 3;

/// Sends a message, again if no answer came.
///
/// # Errors
/// The ledger's problem, or `RECORD_UNAVAILABLE` if it does not answer.
pub async fn send<M: Message>(client: &impl LedgerClient, message: &M) -> Result<M::Answer, Problem> {
    let text = serde_json::to_string(message).map_err(|error| unreadable(&error))?;
    let mut failure = None;
    for _ in 0..TRIES {
        match client.exchange(M::NAME, text.clone()).await {
            Ok(answer) => {
                return serde_json::from_str::<Result<M::Answer, Problem>>(&answer)
                    .map_err(|error| unreadable(&error))?;
            }
            Err(lost) => failure = Some(lost),
        }
    }
    let cause = failure.map_or_else(String::new, |failure| failure.to_string());
    Err(Problem::new(
        Code::RecordUnavailable,
        "The deploy API's ledger was not reached, or was interrupted.",
        "Send the request again: a deploy that was carried out is not carried out twice.",
    )
    .retry_after(2)
    .caused_by(&cause))
}

fn unreadable(error: &serde_json::Error) -> Problem {
    Problem::new(
        Code::Internal,
        "A message between the gateway and the ledger could not be read.",
        "",
    )
    .caused_by(error)
}
