//! A request's way through the dispatch Worker, step by step. `entry.js` takes the first step, and the one that follows
//! a rejection; the others follow promises that a step returns.
//!
//! No step throws: whatever comes out of one as an exception is a trap.

use js_sys::{Date, JSON, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response, console};

use super::answer;
use super::hostnames;
use super::isolate::Isolate;
use super::namespace::Fetcher;
use super::steps::Steps;
use crate::destination::Destination;
use crate::failure::{Failure, Target};
use crate::health::asks_for_health;
use crate::request_url;
use crate::resolver::Unresolved;

/// What stays the same in all steps of a request.
struct Exchange<'a> {
    isolate: &'static Isolate,
    request: &'a Request,
    env: &'a JsValue,
    url: String,
}

#[wasm_bindgen(start)]
fn start() {
    // What console_error_panic_hook does, less the stack, which has no names in a release build.
    std::panic::set_hook(Box::new(|panic| console::error_1(&panic.to_string().into())));
}

/// The first step: a `Response`, or a promise of one.
#[wasm_bindgen]
pub fn dispatch(request: &Request, env: &JsValue, steps: &Steps) -> JsValue {
    Exchange::new(request, env).dispatch(steps)
}

/// KV told what it knows of the host.
#[wasm_bindgen]
pub fn learn(request: &Request, env: &JsValue, found: &JsValue, steps: &Steps) -> JsValue {
    let exchange = Exchange::new(request, env);
    let resolver = &exchange.isolate.resolver;
    if let Err(Unresolved::Hostname(host)) = resolver.resolve(&exchange.url, Date::now) {
        resolver.learn(&host, hostnames::entry(found, &host).as_deref(), Date::now());
    }
    exchange.dispatch(steps)
}

/// The namespace promised a Worker, and here it is.
#[wasm_bindgen]
pub fn forward(request: &Request, env: &JsValue, worker: &Fetcher, steps: &Steps) -> JsValue {
    let exchange = Exchange::new(request, env);
    match exchange.isolate.resolver.resolve(&exchange.url, Date::now) {
        Ok(destination) => exchange.answered(exchange.deliver(worker, &destination, steps)),
        // The entry of a custom hostname was let go in between.
        Err(_) => exchange.dispatch(steps),
    }
}

/// A namespace's promise, or KV's, was rejected.
#[wasm_bindgen]
pub fn unreachable(request: &Request, env: &JsValue, error: &JsValue) -> JsValue {
    let exchange = Exchange::new(request, env);
    let message = message(error);
    let failure = match exchange.isolate.resolver.resolve(&exchange.url, Date::now) {
        Ok(destination) => Failure::of_get(&message, &destination),
        Err(_) => Failure::unavailable(format!("HOSTNAMES: {message}"), Target::default()),
    };
    exchange.fail(&failure)
}

/// The user Worker's answer never came.
#[wasm_bindgen]
pub fn fail(request: &Request, env: &JsValue, error: &JsValue) -> JsValue {
    let exchange = Exchange::new(request, env);
    let destination = exchange.isolate.resolver.resolve(&exchange.url, Date::now).ok();
    let failure = Failure::of_fetch(&message(error), destination.as_ref());
    exchange.fail(&failure)
}

/// An earlier step trapped. This one asks nothing of the isolate, because whatever trapped would trap again.
#[wasm_bindgen]
pub fn recover(request: &Request, _env: &JsValue, trap: &JsValue) -> JsValue {
    let cause = format!("the dispatch Worker trapped: {}", message(trap));
    settled(answer::fail(
        request,
        &request.url(),
        &Failure::unavailable(cause, Target::default()),
    ))
}

/// The user Worker answered, and a data point is wanted.
#[wasm_bindgen]
pub fn record(request: &Request, env: &JsValue, response: Response) -> Response {
    let exchange = Exchange::new(request, env);
    let destination = exchange.isolate.resolver.resolve(&exchange.url, Date::now);
    let target = destination.as_ref().map(Target::of).unwrap_or_default();
    exchange.record("", response.status(), &target);
    response
}

impl<'a> Exchange<'a> {
    fn new(request: &'a Request, env: &'a JsValue) -> Self {
        Self {
            isolate: Isolate::of(env),
            request,
            env,
            url: request.url(),
        }
    }

    fn dispatch(&self, steps: &Steps) -> JsValue {
        match self.isolate.resolver.resolve(&self.url, Date::now) {
            Ok(destination) => self.answered(self.send(&destination, steps)),
            Err(Unresolved::Hostname(host)) => self.answered(self.ask(&host, steps)),
            Err(Unresolved::Unserved(_)) if asks_for_health(&self.request.method(), &self.url) => {
                settled(answer::health(self.request, self.isolate))
            }
            Err(Unresolved::Unserved(failure) | Unresolved::Refused(failure)) => self.fail(&failure),
        }
    }

    /// Hands the request over to the user Worker.
    fn send(&self, destination: &Destination<'_>, steps: &Steps) -> Result<Promise, Failure> {
        let environment = destination.environment();
        let namespace = self.isolate.namespace(environment).ok_or_else(|| {
            let cause = format!("the binding {} is missing", environment.binding());
            Failure::unavailable(cause, Target::of(destination))
        })?;
        let name = self.isolate.names.get(destination.worker());
        let options = destination.options().map(|options| JSON::parse(&options));
        let worker = options
            .transpose()
            .and_then(|options| namespace.worker(&name, options.as_ref()))
            .map_err(|error| Failure::of_get(&message(&error), destination))?;
        if worker.is_promise() {
            return Ok(steps.when_got(&worker, self.request, self.env));
        }
        self.deliver(&worker, destination, steps)
    }

    fn deliver(
        &self,
        worker: &Fetcher,
        destination: &Destination<'_>,
        steps: &Steps,
    ) -> Result<Promise, Failure> {
        let unavailable = |what, error: &JsValue| {
            let cause = format!("{what}: {}", message(error));
            Failure::unavailable(cause, Target::of(destination))
        };
        let rebuilt = self
            .isolate
            .hygiene
            .rebuilt(self.request, &self.url, destination.stripped())
            .map_err(|error| unavailable("the request cannot be rebuilt", &error))?;
        let answer = worker
            .fetch(rebuilt.as_ref().unwrap_or(self.request))
            .map_err(|error| unavailable("fetch threw", &error))?;
        Ok(match self.isolate.analytics {
            None => answer,
            Some(_) => steps.when_answered(&answer, self.request, self.env),
        })
    }

    /// Asks KV about a host.
    fn ask(&self, host: &str, steps: &Steps) -> Result<Promise, Failure> {
        let unavailable = |cause: String| Failure::unavailable(cause, Target::default());
        let hostnames = self
            .isolate
            .hostnames
            .as_ref()
            .ok_or_else(|| unavailable("the binding HOSTNAMES is missing".to_owned()))?;
        let found = hostnames
            .ask(host)
            .map_err(|error| unavailable(format!("HOSTNAMES: {}", message(&error))))?;
        Ok(steps.when_found(&found, self.request, self.env))
    }

    fn answered(&self, sent: Result<Promise, Failure>) -> JsValue {
        sent.map_or_else(|failure| self.fail(&failure), Into::into)
    }

    fn fail(&self, failure: &Failure) -> JsValue {
        self.record(failure.code.name(), failure.code.status(), &failure.target);
        settled(answer::fail(self.request, &self.url, failure))
    }

    fn record(&self, code: &str, status: u16, target: &Target) {
        if let Some(analytics) = &self.isolate.analytics {
            analytics.record(code, status, target, request_url::host(&self.url));
        }
    }
}

/// A result as a step returns it: an error becomes a rejection.
fn settled(result: Result<Response, JsValue>) -> JsValue {
    result.map_or_else(|error| Promise::reject(&error).into(), Into::into)
}

/// An error's message; of what is no error, its text.
fn message(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => error.message().into(),
        None => error
            .as_string()
            .unwrap_or_else(|| "something that is no Error was thrown".to_owned()),
    }
}
