use wasm_bindgen::prelude::*;
use web_sys::{ReadableStream, Response, ResponseInit};

use crate::gateway;
use crate::http;
use crate::problem::Problem;
use crate::v1;

/// Writes a response, with the headers that every response has: it is not cached, its type is not guessed, and its request
/// can be found in the log.
pub fn into_response(answer: &http::Response, request_id: &str) -> Result<Response, JsValue> {
    let init = ResponseInit::new();
    init.set_status(answer.status);
    let body = (!answer.body.is_empty()).then_some(answer.body.as_str());
    finished(
        Response::new_with_opt_str_and_init(body, &init)?,
        answer,
        request_id,
    )
}

/// The same with a stream as the body.
pub fn with_body(
    answer: &http::Response,
    body: Option<&ReadableStream>,
    request_id: &str,
) -> Result<Response, JsValue> {
    let init = ResponseInit::new();
    init.set_status(answer.status);
    let response = Response::new_with_opt_readable_stream_and_init(body, &init)?;
    finished(response, answer, request_id)
}

fn finished(response: Response, answer: &http::Response, request_id: &str) -> Result<Response, JsValue> {
    let headers = response.headers();
    for (name, value) in &answer.headers {
        headers.set(name, value)?;
    }
    headers.set("cache-control", "no-store")?;
    headers.set("x-content-type-options", "nosniff")?;
    headers.set("x-request-id", request_id)?;
    Ok(response)
}

/// The response to a request that failed, in the format of the API that its path belongs to.
pub fn from_problem(problem: Problem, path: &str, request_id: &str) -> http::Response {
    if !is_below(path, gateway::BASE) {
        return v1::of_problem(problem, request_id);
    }
    gateway::of_problem(problem)
}

/// Whether a path is a base or below it.
pub fn is_below(path: &str, base: &str) -> bool {
    path.strip_prefix(base)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
