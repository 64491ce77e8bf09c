use super::Envelope;
use crate::http::Response;
use crate::problem::Problem;

/// A response with Cloudflare's envelope.
pub(super) fn of_envelope(status: u16, envelope: &Envelope) -> Response {
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
