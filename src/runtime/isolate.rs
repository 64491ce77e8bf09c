use std::cell::OnceCell;

use dotdo_names::Environment;
use js_sys::{JSON, Reflect};
use wasm_bindgen::prelude::*;

use super::analytics::Analytics;
use super::header_hygiene::HeaderHygiene;
use super::hostnames::Hostnames;
use super::namespace::Namespace;
use super::worker_names::WorkerNames;
use crate::configuration;
use crate::resolver::Resolver;

/// What one isolate keeps from request to request. Bindings do not change while an isolate lives: a deploy starts anew.
pub struct Isolate {
    pub resolver: Resolver,
    pub names: WorkerNames,
    pub hygiene: HeaderHygiene,
    pub hostnames: Option<Hostnames>,
    pub analytics: Option<Analytics>,
    namespaces: [Option<Namespace>; Environment::ALL.len()],
}

thread_local! {
    static ISOLATE: OnceCell<&'static Isolate> = const { OnceCell::new() };
}

impl Isolate {
    /// The isolate's own, made from the Worker's bindings at the first request.
    pub fn of(env: &JsValue) -> &'static Self {
        ISOLATE.with(|isolate| *isolate.get_or_init(|| Box::leak(Box::new(Self::load(env)))))
    }

    fn load(env: &JsValue) -> Self {
        let hostnames: Option<Hostnames> = binding(env, "HOSTNAMES").map(JsCast::unchecked_into);
        let router = configuration::router(
            variable(env, "ROUTES").as_deref(),
            variable(env, "LOCALHOST").as_deref(),
        );
        Self {
            resolver: Resolver::new(router, hostnames.is_some()),
            names: WorkerNames::default(),
            hygiene: HeaderHygiene::new(),
            hostnames,
            analytics: binding(env, "ANALYTICS").map(JsCast::unchecked_into),
            namespaces: Environment::ALL
                .map(|environment| binding(env, environment.binding()).map(JsCast::unchecked_into)),
        }
    }

    /// The namespace of an environment, if it is bound.
    pub fn namespace(&self, environment: Environment) -> Option<&Namespace> {
        let position = Environment::ALL.iter().position(|&other| other == environment)?;
        self.namespaces.get(position)?.as_ref()
    }
}

fn binding(env: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(env, &name.into()).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// A variable's text. One that was configured as JSON arrives as a value, and is written as text again.
fn variable(env: &JsValue, name: &str) -> Option<String> {
    let value = binding(env, name)?;
    value
        .as_string()
        .or_else(|| JSON::stringify(&value).ok().map(String::from))
}
