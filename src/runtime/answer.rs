use wasm_bindgen::prelude::*;
use web_sys::{Headers, Request, Response, ResponseInit, console};

use super::isolate::Isolate;
use crate::error_page::error_page;
use crate::failure::Failure;
use crate::health::health_document;
use crate::log_line::log_line;
use crate::problem_document::problem_document;
use crate::representation::Representation;
use crate::request_id::is_ray;
use crate::request_url;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    fn random_uuid() -> String;
}

/// Logs a failure and tells the client of it.
pub fn fail(request: &Request, url: &str, failure: &Failure) -> Result<Response, JsValue> {
    let given = request.headers();
    let request_id = given
        .get("cf-ray")?
        .filter(|ray| is_ray(ray))
        .unwrap_or_else(random_uuid);
    let line = log_line(failure, request_url::host(url), &request_id);
    console::error_1(&line.into());

    let representation = Representation::preferred(&given.get("accept")?.unwrap_or_default());
    let body = match representation {
        Representation::Problem => problem_document(failure, &request_id),
        Representation::Page => error_page(failure, &request_id),
    };
    let headers = Headers::new()?;
    headers.set("Content-Type", representation.content_type())?;
    headers.set("X-Dispatch-Error", failure.code.name())?;
    headers.set("X-Request-Id", &request_id)?;
    if representation == Representation::Page {
        headers.set(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'",
        )?;
    }
    answer(request, failure.code.status(), &headers, &body)
}

/// Tells of the dispatch Worker itself.
pub fn health(request: &Request, isolate: &Isolate) -> Result<Response, JsValue> {
    let health = health_document(|environment| isolate.namespace(environment).is_some());
    let headers = Headers::new()?;
    headers.set("Content-Type", "application/json")?;
    answer(request, 200, &headers, &health)
}

fn answer(request: &Request, status: u16, headers: &Headers, body: &str) -> Result<Response, JsValue> {
    headers.set("Cache-Control", "no-store")?;
    headers.set("X-Content-Type-Options", "nosniff")?;
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(headers);
    let body = (request.method() != "HEAD").then_some(body);
    Response::new_with_opt_str_and_init(body, &init)
}
