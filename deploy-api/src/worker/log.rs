use serde::Serialize;

use crate::problem::Problem;

/// One line of the log, in JSON. It contains no part of a body or a query, and so no secret.
#[derive(Serialize)]
pub struct Line<'a> {
    /// `error` for a fault of the platform, `warning` for a refusal.
    pub level: &'static str,
    /// What happened: a constant text.
    pub message: &'a str,
    /// The problem's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The response's HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The request's method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<&'a str>,
    /// The request's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<&'a str>,
    /// The request's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
    /// The internal cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// A line that does not belong to a request.
    pub const fn error(message: &'a str, cause: &'a str) -> Self {
        Self {
            level: "error",
            message,
            code: None,
            status: None,
            method: None,
            path: None,
            request_id: None,
            cause: Some(cause),
        }
    }

    /// The line about a problem that is the response to a request.
    pub fn of_problem(problem: &'a Problem, method: &'a str, path: &'a str, request_id: &'a str) -> Self {
        let status = problem.code.status();
        Self {
            level: if status >= 500 { "error" } else { "warning" },
            message: problem.code.title(),
            code: Some(problem.code.name()),
            status: Some(status),
            method: Some(method),
            path: Some(path),
            request_id: Some(request_id),
            cause: problem.cause.as_deref(),
        }
    }

    /// Writes it.
    pub fn write(&self) {
        let text = serde_json::to_string(self).unwrap_or_default();
        if self.level == "error" {
            web_sys::console::error_1(&text.into());
        } else {
            web_sys::console::warn_1(&text.into());
        }
    }
}
