//! Why a call of Cloudflare's API failed.

use std::fmt;

use serde::Deserialize;
use thiserror::Error;
use ureq::http::Method;

use crate::failure::Failure;

/// Codes of a missing permission. Cloudflare documents no list; these are known from wrangler and from reports of its users:
/// "Authentication error", "Unauthorized to access requested resource", "no access", "not authorized to access this service".
const PERMISSION: [i64; 4] = [10000, 9109, 10023, 7403];

/// Codes of a token that is unknown, expired or malformed: "Invalid API Token", "Invalid request headers" and its cause.
const TOKEN: [i64; 3] = [1000, 6003, 6111];

/// Why a call failed.
#[derive(Debug, Error)]
pub enum CloudflareError {
    /// Cloudflare answered that it does not do it.
    #[error("Cloudflare refused {call}: {}", shown(*status, errors))]
    Refused {
        /// The call.
        call: Call,
        /// The HTTP status.
        status: u16,
        /// What Cloudflare says; never empty unless the answer was not in its envelope.
        errors: Vec<ApiError>,
    },
    /// There was no answer.
    #[error("Cloudflare did not answer {call}: {reason}")]
    Unreachable {
        /// The call.
        call: Call,
        /// What went wrong.
        reason: String,
    },
    /// The answer is not what the API documents.
    #[error("the answer to {call} is not one of Cloudflare's API: {reason}")]
    Unexpected {
        /// The call.
        call: Call,
        /// What is wrong with it.
        reason: String,
    },
}

/// The method and the path of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path below the base URL, with its query.
    pub path: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// An error in Cloudflare's envelope.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ApiError {
    /// The code, such as 10007.
    #[serde(default)]
    pub code: i64,
    /// What happened.
    #[serde(default)]
    pub message: String,
    /// What caused it.
    #[serde(default)]
    pub error_chain: Vec<ApiError>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [code: {}]", self.message.trim_end_matches('.'), self.code)?;
        self.error_chain
            .iter()
            .try_for_each(|cause| write!(f, ", because: {cause}"))
    }
}

fn shown(status: u16, errors: &[ApiError]) -> String {
    match errors {
        [] => format!("status {status}"),
        errors => errors
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; "),
    }
}

impl CloudflareError {
    /// Whether Cloudflare returned this code.
    #[must_use]
    pub fn is(&self, code: i64) -> bool {
        self.codes().any(|returned| returned == code)
    }

    /// Whether the object in the path does not exist.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether the token is valid and may not make this call. Cloudflare returns the same codes for some invalid tokens, so a caller
    /// verifies the token first.
    #[must_use]
    pub fn is_permission_missing(&self) -> bool {
        let is_unexplained =
            matches!(self, Self::Refused { status: 401 | 403, errors, .. } if errors.is_empty());
        is_unexplained || self.codes().any(|code| PERMISSION.contains(&code))
    }

    /// Whether the token is unknown, expired or malformed.
    #[must_use]
    pub fn is_token_invalid(&self) -> bool {
        self.codes().any(|code| TOKEN.contains(&code))
    }

    /// The failure of a command, with what to do next.
    #[must_use]
    pub fn failure(&self, next: impl Into<String>) -> Failure {
        match self {
            Self::Refused { status, .. } if *status == 429 || *status >= 500 => {
                Failure::unreachable(self.to_string(), next)
            }
            Self::Refused { .. } => Failure::refused(self.to_string(), next),
            Self::Unreachable { .. } | Self::Unexpected { .. } => {
                Failure::unreachable(self.to_string(), next)
            }
        }
    }

    fn codes(&self) -> impl Iterator<Item = i64> {
        let errors: &[ApiError] = match self {
            Self::Refused { errors, .. } => errors,
            Self::Unreachable { .. } | Self::Unexpected { .. } => &[],
        };
        errors
            .iter()
            .flat_map(|error| std::iter::once(error).chain(&error.error_chain))
            .map(|error| error.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Exit;

    fn refused(status: u16, errors: &str) -> CloudflareError {
        CloudflareError::Refused {
            call: Call {
                method: Method::GET,
                path: "/zones".to_owned(),
            },
            status,
            errors: serde_json::from_str(errors).unwrap(),
        }
    }

    #[test]
    fn a_missing_permission_differs_from_an_invalid_token_and_from_other_refusals() {
        let kinds = |status, errors| {
            let error = refused(status, errors);
            (
                error.is_permission_missing(),
                error.is_token_invalid(),
                error.is_not_found(),
            )
        };
        let permission = r#"[{"code": 10000, "message": "Authentication error"}]"#;
        assert_eq!(kinds(403, permission), (true, false, false));
        assert_eq!(kinds(403, "[]"), (true, false, false));
        let malformed = r#"[{"code": 6003, "message": "Invalid request headers", "error_chain": [{"code": 6111, "message": "Invalid format"}]}]"#;
        assert_eq!(kinds(400, malformed), (false, true, false));
        assert_eq!(
            kinds(403, r#"[{"code": 10037, "message": "limit"}]"#),
            (false, false, false)
        );
        assert_eq!(
            kinds(404, r#"[{"code": 10007, "message": "none"}]"#),
            (false, false, true)
        );
        assert!(refused(400, malformed).is(6111));
    }

    #[test]
    fn an_error_shows_the_call_the_messages_and_the_codes() {
        let error = refused(
            403,
            r#"[{"code": 10000, "message": "Authentication error"}, {"code": 1, "message": "No."}]"#,
        );
        assert_eq!(
            error.to_string(),
            "Cloudflare refused GET /zones: Authentication error [code: 10000]; No [code: 1]"
        );
        assert_eq!(error.failure("Wait.").exit(), Exit::Refused);
        for status in [429, 500, 503] {
            assert_eq!(refused(status, "[]").failure("").exit(), Exit::Unreachable);
        }
    }
}
