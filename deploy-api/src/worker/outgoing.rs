use wasm_bindgen::prelude::*;
use web_sys::{Response, ResponseInit};

use crate::gateway;

/// Writes an answer. What every answer has: nobody stores it, nobody guesses its type, and it can be found in the log.
pub fn response(answer: &gateway::Response, request_id: &str) -> Result<Response, JsValue> {
    let init = ResponseInit::new();
    init.set_status(answer.status);
    let body = (!answer.body.is_empty()).then_some(answer.body.as_str());
    let response = Response::new_with_opt_str_and_init(body, &init)?;
    let headers = response.headers();
    for (name, value) in &answer.headers {
        headers.set(name, value)?;
    }
    headers.set("cache-control", "no-store")?;
    headers.set("x-content-type-options", "nosniff")?;
    headers.set("x-request-id", request_id)?;
    Ok(response)
}
