//! Requests that are in flight when the Wasm traps: the Rust side of `in_flight.js`, which has the states.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};
use worker::worker_sys::Context;

use super::respond;
use super::test_traps::{Point, trap_at};
use crate::errors::{Failure, Target};
use crate::routing::StrippedPrefix;

// In a namespace, because wasm-bindgen otherwise imports the module once per function, and wrangler warns of each repetition.
#[wasm_bindgen(raw_module = "./in_flight.js")]
extern "C" {
    /// The same promise, but rejected as soon as the Wasm traps. The request is then handled again, unless
    /// [`forbid_restart`] was called.
    #[wasm_bindgen(js_namespace = inFlight, js_name = untilTrapped)]
    pub fn until_trapped(response: &Promise, request: &Request, context: &Context) -> JsValue;

    /// The task of the waiting request runs next: a trap in a task is caused by this request.
    #[wasm_bindgen(js_namespace = inFlight, js_name = enterTask)]
    pub fn enter_task(request: &Request);

    /// The waiting request is about to be sent to a user Worker: it must never be sent twice.
    #[wasm_bindgen(js_namespace = inFlight, js_name = forbidRestart)]
    pub fn forbid_restart(request: &Request);

    /// The promise of the same response with the stripped prefix put back into `Location`.
    #[wasm_bindgen(js_namespace = inFlight, js_name = restoreLocation)]
    pub fn restore_location(response: &Promise, url: &str, prefix: &str) -> Promise;
}

/// The response to a request whose handling trapped. It uses nothing of the isolate, because that may be what trapped.
#[wasm_bindgen(js_name = trapped)]
pub fn trapped(request: &Request, trap: &str) -> JsValue {
    trap_at(Point::Trapped, || request.headers());
    let cause = format!("the dispatch Worker trapped: {trap}");
    let failure = Failure::unavailable(cause, Target::default());
    respond::failure(
        request,
        &request.url(),
        &failure,
        &respond::request_id(request),
        false,
    )
}

/// `response` with the stripped prefix put back into `Location`, or unchanged if `Location` leads elsewhere. `url` is the
/// request's, `prefix` what was stripped from it.
#[wasm_bindgen(js_name = withLocation)]
pub fn with_location(response: Response, url: &str, prefix: &str) -> Result<Response, JsValue> {
    trap_at(Point::Answered, || response.headers());
    let location = response.headers().get("Location")?;
    let stripped = StrippedPrefix::of(url, prefix);
    let restored = stripped
        .zip(location)
        .and_then(|(stripped, location)| stripped.restore_location(&location));
    // A response with status 101 has a WebSocket, which a copy would lose.
    let Some(restored) = restored.filter(|_| response.status() != 101) else {
        return Ok(response);
    };
    let copy =
        Response::new_with_opt_readable_stream_and_init(response.body().as_ref(), response.unchecked_ref())?;
    copy.headers().set("Location", &restored)?;
    Ok(copy)
}
