use std::cell::OnceCell;

use dotdo_names::Environment;
use js_sys::{JSON, Reflect};
use wasm_bindgen::JsValue;
use worker::{AnalyticsEngineDataset, Env, KvStore};

use super::namespace::Namespace;
use super::request_headers::RequestHeaders;
use super::resolver::Resolver;
use super::worker_names::WorkerNames;
use crate::configuration;

/// What an isolate keeps between requests. Bindings do not change during its life: a deploy starts new isolates.
pub struct Isolate {
    pub resolver: Resolver,
    pub worker_names: WorkerNames,
    pub request_headers: RequestHeaders,
    /// Custom hostnames.
    pub hostnames: Option<KvStore>,
    /// Receives one data point per request.
    pub analytics: Option<AnalyticsEngineDataset>,
    /// The service binding to the logs Worker, which receives the failures of Workers.
    pub logs: Option<JsValue>,
    /// Whether expected refusals are logged.
    pub log_refusals: bool,
    namespaces: [Option<Namespace>; Environment::ALL.len()],
}

thread_local! {
    static ISOLATE: OnceCell<&'static Isolate> = const { OnceCell::new() };
}

impl Isolate {
    /// The isolate of this thread, loaded from the Worker's bindings at the first request.
    pub fn of(env: &Env) -> &'static Self {
        ISOLATE.with(|isolate| *isolate.get_or_init(|| Box::leak(Box::new(Self::load(env)))))
    }

    fn load(env: &Env) -> Self {
        // Set here and not at start-up, to replace the hook that `worker` sets there, which writes a second line.
        console_error_panic_hook::set_once();
        let hostnames = env.kv("HOSTNAMES").ok();
        let router = configuration::router(
            variable(env, "ROUTES").as_deref(),
            variable(env, "LOCALHOST").as_deref(),
        );
        Self {
            resolver: Resolver::new(router, hostnames.is_some()),
            worker_names: WorkerNames::default(),
            request_headers: RequestHeaders::new(),
            hostnames,
            analytics: env.analytics_engine("ANALYTICS").ok(),
            logs: binding(env, "LOGS"),
            log_refusals: variable(env, "LOG_REFUSALS").as_deref() == Some("1"),
            namespaces: Environment::ALL.map(|environment| env.get_binding(environment.binding()).ok()),
        }
    }

    /// The namespace of an environment, if it is bound.
    pub fn namespace(&self, environment: Environment) -> Option<&Namespace> {
        let position = Environment::ALL.iter().position(|&other| other == environment)?;
        self.namespaces.get(position)?.as_ref()
    }
}

/// A variable as text. `worker::Env::var` accepts only text, but a variable may be configured as JSON.
fn variable(env: &Env, name: &str) -> Option<String> {
    let value = binding(env, name)?;
    let json = || JSON::stringify(&value).map(String::from).unwrap_or_default();
    Some(value.as_string().unwrap_or_else(json))
}

/// A member of the Worker's `env`.
fn binding(env: &Env, name: &str) -> Option<JsValue> {
    let value = Reflect::get(env, &name.into()).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}
