//! The default handler of the Worker: every request of a client.

use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};
use worker::{Context, Env, event};

use super::incoming::{Incoming, IncomingBody};
use super::log::Line;
use super::response::{from_problem, into_response, is_below, with_body};
use super::services::{Services, misconfigured};
use crate::audit::Client;
use crate::code::Code;
use crate::problem::Problem;
use crate::v1::logs::logs_unavailable;
use crate::{gateway, http, v1};

/// Responds to a request. `entry.js` calls this, and [`failed`] if the Wasm traps.
#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    let incoming = Incoming::of(&request);
    let client = incoming.client();
    let request_id = client.request_id.clone();
    let response = match Services::of(&env) {
        Ok(services) => {
            let body = IncomingBody::of(&request);
            let response = respond(services, &incoming, client, body.clone()).await;
            // Bodies of clients that are not known, and bodies without a length, are not read.
            let is_known = !matches!(response.status, 401 | 429);
            if response.status >= 400 && is_known && incoming.has_length() {
                body.discard_rest(services).await;
            }
            response
        }
        Err(reason) => from_problem(misconfigured(reason), &incoming.path, &request_id),
    };
    if let Some(problem) = &response.problem {
        Line::of_problem(problem, &incoming.method, &incoming.path, &request_id).write();
    }
    if let (Some(query), Ok(services)) = (&response.log_stream, Services::of(&env)) {
        return match services.log_stream(query).await {
            Ok(stream) => Ok(with_body(&response, stream.body().as_ref(), &request_id)?),
            Err(failure) => {
                let problem = logs_unavailable(&failure);
                Line::of_problem(&problem, &incoming.method, &incoming.path, &request_id).write();
                let response = from_problem(problem, &incoming.path, &request_id);
                Ok(into_response(&response, &request_id)?)
            }
        };
    }
    Ok(into_response(&response, &request_id)?)
}

async fn respond(
    services: &Services,
    incoming: &Incoming,
    client: Client,
    body: IncomingBody,
) -> http::Response {
    let gateway = services.gateway(&client);
    let request = http::Request {
        method: &incoming.method,
        path: &incoming.path,
        query: &incoming.query,
        headers: &incoming.headers,
        body,
    };
    if let Some(response) = gateway::wrong_base_url(&request) {
        return response;
    }
    if is_below(&incoming.path, gateway::BASE) {
        return gateway::serve(&gateway, request).await;
    }
    let api = v1::Api {
        gateway: &gateway,
        keyring: &services.keyring,
        key_source: services,
    };
    api.serve(request).await
}

/// The response to a request during which the Wasm trapped.
///
/// # Errors
/// When the runtime cannot create a response.
#[wasm_bindgen]
pub fn failed(request: &Request, cause: &str) -> Result<Response, JsValue> {
    let problem = Problem::new(
        Code::Internal,
        "The deploy API failed on this request.",
        "The reconciler completes the change within two minutes; GET /v1/audit then has the outcome.",
    )
    .caused_by(&cause);
    let incoming = Incoming::of(request);
    let request_id = incoming.client().request_id;
    Line::of_problem(&problem, &incoming.method, &incoming.path, &request_id).write();
    into_response(&from_problem(problem, &incoming.path, &request_id), &request_id)
}
