use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

use super::incoming::Incoming;
use super::ledger::is_below;
use super::log::Line;
use super::outgoing::response;
use crate::code::Code;
use crate::gateway::{self, Envelope};
use crate::problem::Problem;
use crate::v1;

/// A problem in the form that the caller of a path expects.
pub fn answer_in_kind(problem: Problem, path: &str, request_id: &str) -> gateway::Response {
    if !is_below(path, gateway::BASE) {
        return v1::of_problem(problem, request_id);
    }
    gateway::Response {
        status: problem.code.status(),
        headers: vec![("content-type", "application/json".to_owned())],
        body: serde_json::to_string(&Envelope::failure(&problem)).unwrap_or_default(),
        problem: Some(problem),
    }
}

/// The answer to a request that the Durable Object has not answered. `may_retry` when it had too much to do, was being
/// moved or was started anew: the same request may then be sent again.
///
/// # Errors
/// When the runtime cannot make a response.
#[wasm_bindgen]
pub fn failed(request: &Request, cause: &str, may_retry: bool) -> Result<Response, JsValue> {
    let problem = if may_retry {
        Problem::new(
            Code::RecordUnavailable,
            "The deploy API was not reached, or was interrupted.",
            "Send the request again: a deploy that was carried out is not carried out twice.",
        )
        .retry_after(2)
    } else {
        Problem::new(
            Code::Internal,
            "The deploy API failed on this request.",
            "What was begun is put in order within two minutes; GET /v1/audit then says how it ended.",
        )
    };
    let incoming = Incoming::of(request);
    let request_id = incoming.client().request_id;
    let problem = problem.caused_by(&cause);
    Line::of_problem(&problem, &incoming.method, &incoming.path, &request_id).write();
    response(&answer_in_kind(problem, &incoming.path, &request_id), &request_id)
}
