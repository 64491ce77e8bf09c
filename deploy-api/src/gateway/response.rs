//! Replies and errors as responses with Cloudflare's envelope.

use super::{Absent, Envelope};
use crate::http::Response;
use crate::problem::Problem;

/// The response of a route, before it is serialized.
pub(super) enum Reply {
    /// 200 with an envelope.
    Success(Envelope),
    /// 201 with an envelope.
    Created(Envelope),
    /// 404 with the code by which wrangler distinguishes "does not exist" from a failure.
    Absent(Absent),
    /// The same, with an explanation.
    Unclear(Problem),
}

/// The response for a reply.
pub(super) fn of_reply(reply: &Reply) -> Response {
    match reply {
        Reply::Success(envelope) => of_envelope(200, envelope),
        Reply::Created(envelope) => of_envelope(201, envelope),
        Reply::Absent(what) => of_envelope(404, &Envelope::absent(*what)),
        Reply::Unclear(problem) => of_envelope(404, &Envelope::unclear(problem)),
    }
}

/// A response with Cloudflare's envelope.
fn of_envelope(status: u16, envelope: &Envelope) -> Response {
    Response {
        status,
        headers: vec![("content-type", "application/json".to_owned())],
        // An envelope is made of JSON values, which can always be written.
        body: serde_json::to_string(envelope).unwrap_or_default(),
        log_stream: None,
        problem: None,
    }
}

/// A problem as a response with Cloudflare's envelope.
#[must_use]
pub fn of_problem(problem: Problem) -> Response {
    let mut response = of_envelope(problem.code.status(), &Envelope::failure(&problem));
    if let Some(seconds) = problem.retry_after {
        response = response.with("retry-after", seconds.to_string());
    }
    response.problem = Some(problem);
    response
}
