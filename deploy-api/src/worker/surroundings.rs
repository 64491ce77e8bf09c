use wasm_bindgen::prelude::*;

use super::bindings::{Bucket, Fetcher, binding};
use super::settings::Settings;

/// Everything outside of the database: the upstream, the bundle store, the dispatch Worker, the issuers, the runtime.
pub struct Surroundings {
    /// What is configured.
    pub settings: Settings,
    /// Over what the upstream is reached: the service binding `UPSTREAM` on one machine, else the internet.
    pub upstream: Fetcher,
    /// The dispatch Worker, by the service binding `DISPATCHER`.
    pub dispatcher: Option<Fetcher>,
    /// The bucket, by the binding `BUNDLES`.
    pub bundles: Option<Bucket>,
}

impl Surroundings {
    /// Takes the bindings of the Worker's `env`.
    pub fn new(env: &JsValue, settings: Settings) -> Self {
        let upstream = binding(env, "UPSTREAM").unwrap_or_else(|| js_sys::global().into());
        Self {
            settings,
            upstream: upstream.unchecked_into(),
            dispatcher: binding(env, "DISPATCHER").map(JsCast::unchecked_into),
            bundles: binding(env, "BUNDLES").map(JsCast::unchecked_into),
        }
    }
}
