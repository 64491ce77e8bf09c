//! The error of a request: a code, a description, and the fix.

use std::borrow::Cow;

use crate::code::Code;
use crate::schema::Uri;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The content type of [`Problem::document`] (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was rejected or failed. Does not contain secrets or credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The code.
    pub code: Code,
    /// What happened, in one sentence that names the input.
    pub detail: String,
    /// What the caller can do, in one or two sentences. Empty if the caller can only wait.
    pub fix: String,
    /// More lines for the user, such as each claim that does not match.
    pub notes: Vec<String>,
    /// The number of seconds after which the caller may retry.
    pub retry_after: Option<u32>,
    /// The error of the upstream, if the upstream rejected the call.
    pub upstream: Option<Box<UpstreamError>>,
    /// The internal cause, for the log only. Does not contain secrets.
    pub cause: Option<String>,
}

/// An error from the response envelope of the Cloudflare API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpstreamError {
    /// Cloudflare's error code, such as 10021.
    pub code: u32,
    /// Cloudflare's error message.
    pub message: String,
    /// Cloudflare's details of the error, which wrangler explains. They are not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<Value>,
}

impl Problem {
    /// Makes a problem from a code, a description and a fix.
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

    /// Sets the internal cause, for the log.
    #[must_use]
    pub fn caused_by(mut self, cause: &impl ToString) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Adds a line to the notes.
    #[must_use]
    pub fn note(mut self, line: impl Into<String>) -> Self {
        self.notes.push(line.into());
        self
    }

    /// Sets the number of seconds after which the caller may retry.
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
            title: Cow::Borrowed(self.code.title()),
            status: self.code.status(),
            detail: Cow::Borrowed(&self.detail),
            code: Cow::Borrowed(self.code.name()),
            fix: Cow::Borrowed(&self.fix),
            notes: Cow::Borrowed(&self.notes),
            upstream: self.upstream.as_deref().map(Cow::Borrowed),
            request_id: Cow::Borrowed(request_id),
        }
    }
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, Clone, Deserialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Document<'a> {
    /// The section of docs/errors.md about the code.
    #[schemars(with = "Uri")]
    pub r#type: String,
    /// A short description of the error.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What happened, in a sentence that names the input.
    pub detail: Cow<'a, str>,
    /// The code.
    #[schemars(with = "Code")]
    pub code: Cow<'static, str>,
    /// What the caller can do.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub fix: Cow<'a, str>,
    /// More lines for the user.
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    pub notes: Cow<'a, [String]>,
    /// The error of the upstream, if the upstream rejected the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Cow<'a, UpstreamError>>,
    /// Identifies the request in the log and in the audit log.
    pub request_id: Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json, to_value};

    use super::*;

    fn document(problem: &Problem, request_id: &str) -> Value {
        to_value(problem.document(request_id)).unwrap()
    }

    #[test]
    fn a_document_has_the_code_the_fix_the_notes_and_a_link() {
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
    fn empty_members_are_omitted() {
        let document = document(&Problem::new(Code::Internal, "It failed.", ""), "r");
        assert!(document.get("fix").is_none() && document.get("notes").is_none());
        assert!(document.get("upstream").is_none());
    }
}
