//! The responses of the dispatch Worker itself.

use dotdo_names::Environment;
use js_sys::{JSON, Promise};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response, console};
use worker::console_error;

use super::health::health_document;
use super::request_url;
use crate::errors::{Failure, Representation, is_ray, log_line};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

/// Status and headers. They cross into JavaScript as one text, because each string that crosses costs more than the parsing.
#[derive(Serialize)]
struct ResponseInit<'a> {
    status: u16,
    headers: ResponseHeaders<'a>,
}

#[derive(Clone, Copy, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct ResponseHeaders<'a> {
    content_type: &'a str,
    cache_control: &'a str,
    x_content_type_options: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_dispatch_error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_security_policy: Option<&'a str>,
}

/// The id of a request: its `cf-ray`, or a random one.
pub fn request_id(request: &Request) -> String {
    let ray = request.headers().get("cf-ray").ok().flatten();
    ray.filter(|ray| is_ray(ray)).unwrap_or_else(random_uuid)
}

/// Logs a failure and returns the error response. An expected refusal is logged only if `log_refusals` is set.
pub fn failure(
    request: &Request,
    url: &str,
    failure: &Failure,
    request_id: &str,
    log_refusals: bool,
) -> JsValue {
    if !failure.code.is_refusal() {
        console_error!("{}", log_line(failure, request_url::host(url), request_id));
    } else if log_refusals {
        // `worker` has no macro for this level.
        console::info_1(&log_line(failure, request_url::host(url), request_id).into());
    }
    let accept = request.headers().get("accept").ok().flatten();
    let representation = Representation::preferred(&accept.unwrap_or_default());
    let is_page = representation == Representation::Page;
    let headers = ResponseHeaders {
        content_type: representation.content_type(),
        x_dispatch_error: Some(failure.code.name()),
        x_request_id: Some(request_id),
        retry_after: failure.code.retry_after(),
        content_security_policy: is_page.then_some("default-src 'none'; style-src 'unsafe-inline'"),
        ..ResponseHeaders::default()
    };
    let body = representation.body(failure, request_id);
    respond(request, failure.code.status(), headers, &body)
}

/// The health document of the dispatch Worker.
pub fn health(request: &Request, present: impl Fn(Environment) -> bool) -> JsValue {
    let headers = ResponseHeaders {
        content_type: "application/json",
        ..ResponseHeaders::default()
    };
    respond(request, 200, headers, &health_document(present))
}

fn respond(request: &Request, status: u16, headers: ResponseHeaders<'_>, body: &str) -> JsValue {
    let headers = ResponseHeaders {
        cache_control: "no-store",
        x_content_type_options: "nosniff",
        ..headers
    };
    // A struct of texts and a number always serializes.
    let init = serde_json::to_string(&ResponseInit { status, headers }).unwrap_or_default();
    let body = (request.method() != "HEAD").then_some(body);
    let response =
        JSON::parse(&init).and_then(|init| Response::new_with_opt_str_and_init(body, init.unchecked_ref()));
    response.map_or_else(|error| Promise::reject(&error).into(), Into::into)
}
