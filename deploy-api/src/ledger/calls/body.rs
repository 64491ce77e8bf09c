use serde::de::DeserializeOwned;

use crate::code::Code;
use crate::problem::Problem;

/// The longest body of these calls but the policy's, in bytes.
const MAX_BODY: usize = 32 * 1024;

/// Reads a JSON body.
///
/// # Errors
/// `BODY_TOO_LARGE` over 32 KiB; `BODY_INVALID` when it is not what `expected` describes. What is wrong is told by
/// position and type only where the body may hold a secret; see [`read_secret`].
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

/// The same for a body that holds a secret, of which the error repeats nothing.
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
