//! Reads the parameters, headers and body of a request.

use super::page::parameter_invalid;
use super::route::Route;
use crate::code::Code;
use crate::problem::Problem;
use crate::upload::SourceFailure;

/// Rejects a parameter that the call does not have.
pub(super) fn check_parameters(route: &Route, parameters: &[(&str, &str)]) -> Result<(), Problem> {
    let Some((name, _)) = parameters
        .iter()
        .find(|(name, _)| !route.parameters.contains(name))
    else {
        return Ok(());
    };
    let shown: String = name.chars().take(100).collect();
    let fix = match route.parameters {
        [] => "This call has no parameters.".to_owned(),
        known => format!("The parameters are {}.", known.join(", ")),
    };
    Err(parameter_invalid(
        format!("There is no parameter {shown:?}."),
        fix,
    ))
}

/// The problem of a body that could not be read.
pub(super) fn body_unread(failure: SourceFailure, limit: usize) -> Problem {
    match failure {
        SourceFailure::TooLarge { .. } => Problem::new(
            Code::BodyTooLarge,
            format!("The body has more than {limit} bytes, the limit of this call."),
            "",
        ),
        SourceFailure::Interrupted | SourceFailure::Store => Problem::new(
            Code::BodyInvalid,
            "The body is incomplete.",
            "Send the request again.",
        ),
    }
}

/// A body as text.
pub(super) fn read_text(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body).map_err(|error| {
        Problem::new(
            Code::BodyInvalid,
            format!("The body is not UTF-8 from byte {} on.", error.valid_up_to()),
            "Send the policy as JSON in UTF-8.",
        )
    })
}

/// The version in `If-Match: "3"`.
pub(super) fn read_version(header: &str) -> Result<u64, Problem> {
    header
        .trim()
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|version| version.parse().ok())
        .ok_or_else(|| {
            parameter_invalid(
                "The header If-Match is not the ETag of a version of the policy.",
                "Send the ETag of GET /v1/policy with its quotes, such as \"3\"; \"0\" for the first policy.",
            )
        })
}
