use js_sys::JSON;
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response, console};

use super::isolate::Isolate;
use crate::error_page::error_page;
use crate::failure::Failure;
use crate::health::health_document;
use crate::json::ObjectWriter;
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
    let mut headers = ObjectWriter::new();
    headers
        .plain("Content-Type", representation.content_type())
        .plain("X-Dispatch-Error", failure.code.name())
        .string("X-Request-Id", &request_id);
    if representation == Representation::Page {
        headers.plain(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'",
        );
    }
    answer(request, failure.code.status(), &mut headers, &body)
}

/// Tells of the dispatch Worker itself.
pub fn health(request: &Request, isolate: &Isolate) -> Result<Response, JsValue> {
    let health = health_document(|environment| isolate.namespace(environment).is_some());
    let mut headers = ObjectWriter::new();
    headers.plain("Content-Type", "application/json");
    answer(request, 200, &mut headers, &health)
}

/// Status and headers cross into JavaScript as one text: each string by itself costs more than reading them there.
fn answer(
    request: &Request,
    status: u16,
    headers: &mut ObjectWriter,
    body: &str,
) -> Result<Response, JsValue> {
    let headers = headers
        .plain("Cache-Control", "no-store")
        .plain("X-Content-Type-Options", "nosniff")
        .finish();
    let init = ObjectWriter::new()
        .number("status", status.into())
        .raw("headers", &headers)
        .finish();
    let body = (request.method() != "HEAD").then_some(body);
    Response::new_with_opt_str_and_init(body, JSON::parse(&init)?.unchecked_ref())
}
