//! One refusal or failure, as its caller is told of it: what happened, which input, what to do now.

use crate::code::Code;
use serde::{Deserialize, Serialize};

/// The content type of [`Problem::document`] (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a call was refused or failed. Neither text ever holds a secret or a bearer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What happened.
    pub code: Code,
    /// What exactly, in one sentence that names the input.
    pub detail: String,
    /// What to do now, in a sentence or two; empty where there is nothing but to wait.
    pub fix: String,
    /// More lines for a person, such as each claim that stood in the way.
    pub notes: Vec<String>,
    /// After how many seconds the same call may be tried again.
    pub retry_after: Option<u32>,
    /// What the upstream said, where it was the upstream that refused.
    pub upstream: Option<UpstreamError>,
    /// What went wrong inside, for the log; callers are never told. Holds no secret either.
    pub cause: Option<String>,
}

/// An error of the Cloudflare API, as it stands in its envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamError {
    /// Cloudflare's number, such as 10021.
    pub code: u32,
    /// Cloudflare's sentence.
    pub message: String,
}

impl Problem {
    /// A problem with what happened and what to do now.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            fix: fix.into(),
            notes: Vec::new(),
            retry_after: None,
            upstream: None,
            cause: None,
        }
    }

    /// The same, with what went wrong inside, for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: &impl ToString) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// The same with one more line for a person.
    #[must_use]
    pub fn note(mut self, line: impl Into<String>) -> Self {
        self.notes.push(line.into());
        self
    }

    /// The same, to be tried again after that many seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The problem document of `/v1` (RFC 9457, with the members `code`, `fix`, `notes`, `upstream`, `request_id`).
    #[must_use]
    pub fn document<'a>(&'a self, request_id: &'a str) -> Document<'a> {
        Document {
            r#type: self.code.page(),
            title: self.code.title(),
            status: self.code.status(),
            detail: &self.detail,
            code: self.code.name(),
            fix: &self.fix,
            notes: &self.notes,
            upstream: self.upstream.as_ref(),
            request_id,
        }
    }
}

/// A problem document, ready to be written as JSON; see [`Problem::document`].
#[derive(Debug, Serialize)]
pub struct Document<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    fix: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<&'a UpstreamError>,
    request_id: &'a str,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json, to_value};

    use super::*;

    fn document(problem: &Problem, request_id: &str) -> Value {
        to_value(problem.document(request_id)).unwrap()
    }

    #[test]
    fn a_document_says_what_happened_what_to_do_and_where_to_read() {
        let problem = Problem::new(Code::WorkerLocked, "agents is locked.", "Ask ops.").note("until noon");
        let document = document(&problem, "ray-1");
        assert_eq!(document["status"], 409);
        assert_eq!(document["code"], "WORKER_LOCKED");
        assert_eq!(document["fix"], "Ask ops.");
        assert_eq!(document["notes"], json!(["until noon"]));
        assert_eq!(document["request_id"], "ray-1");
        assert!(
            document["type"]
                .as_str()
                .is_some_and(|page| page.ends_with("docs/errors.md#worker_locked"))
        );
    }

    #[test]
    fn members_without_content_are_left_out() {
        let document = document(&Problem::new(Code::Internal, "It failed.", ""), "r");
        assert!(document.get("fix").is_none() && document.get("notes").is_none());
        assert!(document.get("upstream").is_none());
    }
}
