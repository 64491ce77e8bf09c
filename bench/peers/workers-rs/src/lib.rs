//! The two look-ups with the types of workers-rs, as its documentation of `DynamicDispatcher` shows them.

use worker::{Context, Env, Request, Response, Result, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    let url = request.url()?;
    let mut labels = url.host_str().unwrap_or_default().split('.');
    let first = labels.next().unwrap_or_default();
    let namespace = match first {
        "staging" => Some("DISPATCHER_STAGING"),
        "dev" | "development" => Some("DISPATCHER_DEVELOPMENT"),
        _ => None,
    };
    let name = if namespace.is_some() {
        labels.next().unwrap_or_default()
    } else {
        first
    };
    let dispatcher = env.dynamic_dispatcher(namespace.unwrap_or("DISPATCHER_PRODUCTION"))?;
    match dispatcher.get(name)?.fetch_request(request).await {
        Ok(response) => Ok(response),
        // `Display` puts "Error: " in front of a JavaScript error's message.
        Err(error) if error.to_string().contains("Worker not found") => Response::error("Not found", 404),
        Err(_) => Response::error("Internal error", 500),
    }
}
