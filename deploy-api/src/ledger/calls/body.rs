use serde::de::DeserializeOwned;

use crate::code::Code;
use crate::problem::Problem;

/// The maximum length of a body, in bytes. The policy has a separate limit.
const MAX_BODY: usize = 32 * 1024;

/// Reads a JSON body.
///
/// # Errors
/// `BODY_TOO_LARGE` for more than 32 KiB; `BODY_INVALID` if the body is not what `expected` describes. The error contains the
/// message of the parser. For a body that may contain a secret, use [`read_secret`].
pub(crate) fn read<T: DeserializeOwned>(body: &[u8], expected: &str) -> Result<T, Problem> {
    check_length(body)?;
    serde_json::from_slice(body).map_err(|error| {
        Problem::new(
            Code::BodyInvalid,
            format!("The body cannot be read: {error}."),
            format!("Send {expected}."),
        )
    })
}

/// The same for a body that contains a secret. The error contains no part of the body.
pub(crate) fn read_secret<T: DeserializeOwned>(body: &[u8], expected: &str) -> Result<T, Problem> {
    check_length(body)?;
    serde_json::from_slice(body).map_err(|_| {
        Problem::new(
            Code::BodyInvalid,
            "The body cannot be read.",
            format!("Send {expected}."),
        )
    })
}

fn check_length(body: &[u8]) -> Result<(), Problem> {
    if body.len() > MAX_BODY {
        let detail = format!("The body has {} bytes; at most {MAX_BODY} are read.", body.len());
        return Err(Problem::new(Code::BodyTooLarge, detail, ""));
    }
    Ok(())
}
