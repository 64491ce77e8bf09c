//! The messages between the gateway and the ledger: small JSON texts, each answered by `Result<Answer, Problem>`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::code::Code;
use crate::problem::Problem;

/// A message to the ledger. A repeated message changes nothing, because each message that changes something has an attempt id.
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
    /// If there is no answer. The ledger may have handled the message anyway. It may be sent again.
    fn exchange(
        &self,
        name: &'static str,
        message: String,
    ) -> impl Future<Output = Result<String, LedgerFailure>>;
}

/// The ledger did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the ledger did not answer: {cause}")]
pub struct LedgerFailure {
    /// The error of the runtime, for the log.
    pub cause: String,
}

/// How often a message is sent before the caller is told that the ledger does not answer.
const TRIES: u32 = 3;

/// Sends a message, and repeats it if there is no answer.
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
        "The deploy API's ledger could not be reached, or was interrupted.",
        "Send the request again: the same deploy is not executed twice.",
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
