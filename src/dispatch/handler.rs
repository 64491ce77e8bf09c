//! The path of one request through the dispatch Worker.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::task::{Poll, Waker};

use dotdo_names::Environment;
use js_sys::futures::future_to_promise;
use js_sys::{Date, JSON, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Request;
use worker::{Context, Env, KvError, worker_sys};

use super::destination::Destination;
use super::failure_log;
use super::health::is_health_request;
use super::in_flight;
use super::isolate::Isolate;
use super::namespace::Fetcher;
use super::resolver::Unresolved;
use super::respond;
use super::test_traps::{Point, trap_at};
use crate::errors::{Code, Failure, Target};
use crate::hostnames::look_up;

/// Resolves the route and forwards the request, or answers with an error. Returns a `Response`, or the promise of one that
/// the user Worker returned.
async fn fetch(request: Request, env: Env, context: Context) -> JsValue {
    let exchange = Exchange::new(request, &env);
    match exchange.dispatch(&context).await {
        Ok(response) => response.into(),
        Err(failure) if failure.code == Code::HostUnknown && exchange.asks_for_health() => exchange.health(),
        Err(failure) => exchange.fail(&failure, context.as_ref()),
    }
}

/// The adapter between the runtime and [`fetch`]: it polls the handler once before it creates a task, because almost every
/// request is forwarded in that poll. `#[worker::event(fetch)]` creates a task and a promise for each request, which costs 11
/// to 33 % more CPU (docs/performance.md).
#[wasm_bindgen(js_name = fetch)]
pub fn adapter(request: &Request, env: Env, context: &worker_sys::Context) -> JsValue {
    let owned_context = Context::new(JsValue::from(context).unchecked_into());
    let mut handler = Box::pin(fetch(Clone::clone(request), env, owned_context));
    let mut first_poll = std::task::Context::from_waker(Waker::noop());
    match handler.as_mut().poll(&mut first_poll) {
        Poll::Ready(response) => response,
        Poll::Pending => {
            let waiting: Request = Clone::clone(request);
            let task = poll_fn(move |context| {
                in_flight::enter_task(&waiting);
                handler.as_mut().poll(context).map(Ok)
            });
            in_flight::until_trapped(&future_to_promise(task), request, context)
        }
    }
}

/// The response to a request that a user Worker rejected. The URL is resolved again, because only failed requests need the
/// destination here.
#[wasm_bindgen(js_name = rejected)]
pub fn rejected(request: Request, env: &Env, error: &JsValue, context: &worker_sys::Context) -> JsValue {
    let exchange = Exchange::new(request, env);
    trap_at(Point::Rejected, || exchange.request.headers());
    // A cached hostname counts here even if it has expired since.
    let destination = exchange.isolate.resolver.resolve(&exchange.url, || 0.0);
    let target = destination.as_ref().map(Target::from).unwrap_or_default();
    exchange.fail(&Failure::from_fetch_error(&message(error), target), context)
}

/// What the caller of a service binding gets if the Worker of the namespace is not deployed: the response to `request`, or the text of
/// an error for a call without a request. `undefined` if the error is another one. `namespace_service.js` calls this.
#[wasm_bindgen(js_name = serviceRejected)]
pub fn service_rejected(
    request: Option<Request>,
    env: &Env,
    environment: &str,
    worker: String,
    error: &JsValue,
    context: &worker_sys::Context,
) -> JsValue {
    let target = Target {
        environment: Environment::from_name(environment),
        worker: Some(worker),
        rule: None,
    };
    let failure = Failure::from_service_error(&message(error), target);
    match (failure, request) {
        (None, _) => JsValue::UNDEFINED,
        (Some(failure), Some(request)) => Exchange::new(request, env).fail(&failure, context),
        (Some(failure), None) => format!("{}: {}", failure.code.name(), failure.detail).into(),
    }
}

/// One request, and what does not change while it is handled.
struct Exchange {
    isolate: &'static Isolate,
    request: Request,
    url: String,
    /// Whether the handler has waited for a promise, and so runs in a task.
    has_waited: Cell<bool>,
}

impl Exchange {
    fn new(request: Request, env: &Env) -> Self {
        Self {
            isolate: Isolate::of(env),
            url: request.url(),
            request,
            has_waited: Cell::new(false),
        }
    }

    async fn dispatch(&self, context: &Context) -> Result<Promise, Failure> {
        let destination = self.resolve().await?;
        trap_at(Point::Resolved, || self.request.headers());
        let worker = self.worker(&destination).await?;
        trap_at(Point::GotWorker, || self.request.headers());
        let response = self.forward(&worker, &destination)?;
        trap_at(Point::Forwarded, || self.request.headers());
        self.isolate
            .record_when_answered(&response, &destination, &self.url, context);
        Ok(response)
    }

    /// Finds the destination. Only a custom hostname that is not cached waits, for KV.
    async fn resolve(&self) -> Result<Destination<'_>, Failure> {
        loop {
            match self.isolate.resolver.resolve(&self.url, Date::now) {
                Ok(destination) => return Ok(destination),
                Err(Unresolved::Uncached(host)) => self.cache_hostname(&host).await?,
                Err(Unresolved::Failed(failure)) => return Err(failure),
            }
        }
    }

    async fn cache_hostname(&self, host: &str) -> Result<(), Failure> {
        let unavailable =
            |cause: &str| Failure::unavailable(format!("HOSTNAMES: {cause}"), Target::default());
        let namespace = self.isolate.hostnames.as_ref();
        let namespace = namespace.ok_or_else(|| unavailable("the binding is missing"))?;
        self.has_waited.set(true);
        let value = look_up(namespace, host)
            .await
            .map_err(|error| unavailable(&kv_message(&error)))?;
        self.isolate
            .resolver
            .cache_hostname(host, value.as_deref(), Date::now());
        Ok(())
    }

    /// Gets the user Worker from its namespace. The binding returns it at once in production, and as a promise under
    /// `wrangler dev` and on the local platform.
    async fn worker(&self, destination: &Destination<'_>) -> Result<Fetcher, Failure> {
        let environment = destination.environment();
        let namespace = self.isolate.namespace(environment).ok_or_else(|| {
            let cause = format!("the binding {} is missing", environment.binding());
            Failure::unavailable(cause, destination.into())
        })?;
        let failed = |error: JsValue| Failure::from_get_error(&message(&error), destination.into());
        let name = self.isolate.worker_names.get(destination.worker());
        let options = destination.options().map(|options| JSON::parse(&options));
        let worker = options
            .transpose()
            .and_then(|options| namespace.worker(&name, options.as_ref()))
            .map_err(failed)?;
        if !worker.is_promise() {
            return Ok(worker);
        }
        self.has_waited.set(true);
        let worker = worker.unchecked_into::<Promise>().await.map_err(failed)?;
        Ok(worker.unchecked_into())
    }

    /// Sends the request to the user Worker. Its promise is returned and not awaited, so that a trap caused by another request
    /// does not affect the response.
    fn forward(&self, worker: &Fetcher, destination: &Destination<'_>) -> Result<Promise, Failure> {
        let unavailable = |what, error: &JsValue| {
            Failure::unavailable(format!("{what}: {}", message(error)), destination.into())
        };
        let stripped = destination.stripped();
        let sanitized = self
            .isolate
            .request_headers
            .sanitized(&self.request, &self.url, stripped)
            .map_err(|error| unavailable("the request cannot be rebuilt", &error))?;
        if self.has_waited.get() {
            in_flight::forbid_restart(&self.request);
        }
        let response = worker
            .fetch(sanitized.as_ref().unwrap_or(&self.request))
            .map_err(|error| unavailable("fetch threw", &error))?;
        Ok(match stripped {
            None => response,
            Some(stripped) => in_flight::restore_location(&response, &self.url, stripped.prefix()),
        })
    }

    fn fail(&self, failure: &Failure, context: &worker_sys::Context) -> JsValue {
        let request_id = respond::request_id(&self.request);
        self.isolate.record_failure(failure, &self.url);
        if let Some(logs) = &self.isolate.logs {
            failure_log::send(logs, failure, &self.request, &self.url, &request_id, context);
        }
        respond::failure(
            &self.request,
            &self.url,
            failure,
            &request_id,
            self.isolate.log_refusals,
        )
    }

    fn asks_for_health(&self) -> bool {
        is_health_request(&self.request.method(), &self.url)
    }

    fn health(&self) -> JsValue {
        respond::health(&self.request, |environment| {
            self.isolate.namespace(environment).is_some()
        })
    }
}

/// The message of a JavaScript error, or the text of another value that was thrown.
fn message(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => error.message().into(),
        None => error
            .as_string()
            .unwrap_or_else(|| "a value that is not an Error was thrown".to_owned()),
    }
}

fn kv_message(error: &KvError) -> String {
    match error {
        KvError::JavaScript(error) => message(error),
        KvError::Serialization(_) | KvError::InvalidKvStore(_) => {
            "the KV namespace cannot be read".to_owned()
        }
    }
}
