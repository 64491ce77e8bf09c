//! Why a command fails: what happened, what to type next, and the exit code.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use deploy_api::v1::types::ProblemDocument;
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

/// Why a command failed.
#[derive(Debug, Error)]
pub enum Failure {
    /// The deploy API refused the call, or the state of the platform does.
    #[error("{what}")]
    Refused {
        /// What happened.
        what: String,
        /// What to do.
        next: String,
    },
    /// The deploy API returned an error.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// The command line, a file or the input is wrong, or there are no credentials.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
        /// What to do.
        next: String,
    },
    /// The deploy API did not answer.
    #[error("{what}")]
    Unreachable {
        /// What happened.
        what: String,
        /// What to do.
        next: String,
    },
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
}

/// An error of the deploy API, with the command that helps.
#[derive(Debug)]
pub struct Problem {
    /// What happened.
    pub detail: String,
    /// The document that the API returned.
    pub document: ProblemDocument<'static>,
    /// What to type next, if a command helps more than the advice of the API.
    pub next: Option<String>,
}

/// The exit codes of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The command succeeded.
    Success = 0,
    /// The change or the check was refused.
    Refused = 1,
    /// The command line or an input is wrong.
    Usage = 2,
    /// The deploy API cannot be reached, or cannot do its work now.
    Unreachable = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// The codes of the deploy API for a call that has a wrong value.
const INPUT_CODES: [&str; 2] = ["BODY_INVALID", "PARAMETER_INVALID"];

/// The JSON of a failed command, on the standard error.
#[derive(Serialize)]
struct Shown<'a> {
    error: String,
    code: Option<&'a str>,
    fix: &'a str,
    notes: &'a [String],
    request_id: Option<&'a str>,
    exit_code: u8,
}

impl Failure {
    /// The platform refuses what was asked.
    pub fn refused(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Refused {
            what: what.into(),
            next: next.into(),
        }
    }

    /// The command line or an input is wrong.
    pub fn usage(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Usage {
            what: what.into(),
            next: next.into(),
        }
    }

    /// The deploy API did not answer.
    pub fn unreachable(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self::Unreachable {
            what: what.into(),
            next: next.into(),
        }
    }

    /// An error of the deploy API.
    pub fn problem(document: ProblemDocument<'static>) -> Self {
        Self::Problem(Box::new(Problem {
            detail: document.detail.to_string(),
            document,
            next: None,
        }))
    }

    /// The same failure with the command to type next, if the deploy API returned one of these codes.
    #[must_use]
    pub fn suggest(mut self, codes: &[&str], next: impl Into<String>) -> Self {
        if let Self::Problem(problem) = &mut self
            && codes.contains(&problem.document.code.as_ref())
        {
            problem.next = Some(next.into());
        }
        self
    }

    /// Whether the deploy API returned this code.
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        matches!(self, Self::Problem(problem) if problem.document.code == code)
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Unreachable { .. } => Exit::Unreachable,
            // The deploy API, or Cloudflare behind it, cannot do its work now.
            Self::Problem(problem) if matches!(problem.document.status, 502..=504) => Exit::Unreachable,
            // An argument that only the deploy API checks is as wrong as one that the command line rejects.
            Self::Problem(problem) if INPUT_CODES.contains(&problem.document.code.as_ref()) => Exit::Usage,
            Self::Problem(_) | Self::Refused { .. } => Exit::Refused,
            Self::Usage { .. } | Self::Output(_) => Exit::Usage,
        }
    }

    fn next(&self) -> &str {
        match self {
            Self::Refused { next, .. } | Self::Usage { next, .. } | Self::Unreachable { next, .. } => next,
            Self::Problem(problem) => problem
                .next
                .as_deref()
                .or_else(|| next_command(&problem.document.code))
                .unwrap_or(&problem.document.fix),
            Self::Output(_) => "",
        }
    }

    /// The text for a person: what happened, the notes, and what to type next.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.to_string();
        // Writing to a String cannot fail.
        if let Self::Problem(problem) = self {
            for note in problem.document.notes.iter() {
                let _ = write!(text, "\n  {note}");
            }
            if let Some(upstream) = &problem.document.upstream {
                let _ = write!(
                    text,
                    "\n  Cloudflare: {} [code: {}]",
                    upstream.message, upstream.code
                );
            }
        }
        let next = self.next();
        if !next.is_empty() {
            let _ = write!(text, "\n{next}");
        }
        if let Self::Problem(problem) = self {
            let document = &problem.document;
            let (code, page, request) = (&document.code, &document.r#type, &document.request_id);
            let _ = write!(text, "\n{code} ({page}), request {request}");
        }
        text
    }

    /// The JSON for a program.
    #[must_use]
    pub fn json(&self) -> Value {
        let document = match self {
            Self::Problem(problem) => Some(&problem.document),
            _ => None,
        };
        json!(Shown {
            error: self.to_string(),
            code: document.map(|document| document.code.as_ref()),
            fix: self.next(),
            notes: document
                .map(|document| document.notes.as_ref())
                .unwrap_or_default(),
            request_id: document.map(|document| document.request_id.as_ref()),
            exit_code: self.exit() as u8,
        })
    }
}

/// The failure of a command line that cannot be parsed.
#[must_use]
pub fn command_line(error: &clap::Error) -> Failure {
    let text = error.to_string();
    // After the first paragraph there is only advice.
    let (what, advice) = text.trim_end().split_once("\n\n").unwrap_or((&text, ""));
    Failure::usage(what.trim_start_matches("error: ").trim_end(), advice)
}

/// The command that helps with an error, whatever the command that failed.
fn next_command(code: &str) -> Option<&'static str> {
    Some(match code {
        "AUTHENTICATION_FAILED" => {
            "The token is unknown, expired or revoked. Type `dotdo login` with a new one; `dotdo doctor` shows where it comes from."
        }
        "PERMISSION_DENIED" => {
            "Type `dotdo whoami` to see which rules apply to you. An administrator can change the policy: `dotdo policy apply FILE`."
        }
        "POLICY_CHANGED" => {
            "Another administrator was faster. Type `dotdo policy diff FILE` to see what your file would change now."
        }
        "POLICY_VERSION_UNKNOWN" => "Type `dotdo policy versions` to list the versions.",
        "DEPLOYMENT_UNSETTLED" => {
            "Another change of the Worker is not finished. Type the same command again in a moment; `dotdo status` lists open changes."
        }
        "POLICY_INVALID" => "Correct the file. Type `dotdo policy diff FILE` to check it without storing it.",
        "WORKER_UNKNOWN" => "Type `dotdo workers` to list the Workers.",
        "TOKEN_UNKNOWN" => "Type `dotdo tokens list` to list the tokens.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(code: &str, status: u16) -> Failure {
        Failure::problem(
            serde_json::from_value(json!({
                "type": "https://example.test/errors.md#x", "title": "T", "status": status, "detail": "It is locked.",
                "code": code, "fix": "Wait.", "notes": ["until noon"], "request_id": "ray-1",
            }))
            .unwrap(),
        )
    }

    #[test]
    fn an_error_says_what_happened_and_what_to_type_next() {
        let locked = problem("WORKER_LOCKED", 409);
        assert_eq!(
            locked.text(),
            "It is locked.\n  until noon\nWait.\nWORKER_LOCKED (https://example.test/errors.md#x), request ray-1"
        );
        let suggested = problem("WORKER_LOCKED", 409).suggest(&["WORKER_LOCKED"], "Type `dotdo unlock`.");
        assert!(
            suggested.text().contains("until noon\nType `dotdo unlock`.\n"),
            "{}",
            suggested.text()
        );
        let other = problem("PERMISSION_DENIED", 403).suggest(&["WORKER_LOCKED"], "Type `dotdo unlock`.");
        assert!(other.text().contains("dotdo whoami"), "{}", other.text());
    }

    #[test]
    fn the_exit_code_tells_refusals_from_failures() {
        assert_eq!(problem("WORKER_LOCKED", 409).exit(), Exit::Refused);
        assert_eq!(problem("RECORD_UNAVAILABLE", 503).exit(), Exit::Unreachable);
        assert_eq!(problem("BODY_INVALID", 400).exit(), Exit::Usage);
        assert_eq!(Failure::usage("a", "b").exit(), Exit::Usage);
        assert_eq!(Failure::unreachable("a", "b").exit(), Exit::Unreachable);
        assert_eq!(Failure::refused("a", "b").json()["exit_code"], 1);
        assert_eq!(problem("WORKER_LOCKED", 409).json()["code"], "WORKER_LOCKED");
    }
}
