//! What follows when a promise settles.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Request;

#[wasm_bindgen]
extern "C" {
    /// The exports of this module that follow a promise, as `entry.js` hands them in.
    pub type Steps;

    /// The namespace answered a Worker.
    #[wasm_bindgen(method, getter)]
    fn forward(this: &Steps) -> Step;

    /// A namespace or KV failed.
    #[wasm_bindgen(method, getter)]
    fn unreachable(this: &Steps) -> Step;

    /// KV answered.
    #[wasm_bindgen(method, getter)]
    fn learn(this: &Steps) -> Step;

    /// The user Worker answered.
    #[wasm_bindgen(method, getter)]
    fn record(this: &Steps) -> Step;

    /// One of them: takes the request, the Worker's bindings, and what the promise settled with.
    type Step;

    #[wasm_bindgen(method)]
    fn bind(this: &Step, receiver: &JsValue, request: &Request, env: &JsValue) -> Step;

    #[wasm_bindgen(js_name = Promise)]
    type Settling;

    #[wasm_bindgen(method)]
    fn then(this: &Settling, fulfilled: &Step) -> Promise;

    #[wasm_bindgen(method, js_name = then)]
    fn then_or(this: &Settling, fulfilled: &Step, rejected: &Step) -> Promise;
}

impl Steps {
    /// Forwards a request to the Worker that a namespace promised.
    pub fn when_got(&self, worker: &JsValue, request: &Request, env: &JsValue) -> Promise {
        let forward = self.forward().bind(&JsValue::UNDEFINED, request, env);
        let unreachable = self.unreachable().bind(&JsValue::UNDEFINED, request, env);
        settling(worker).then_or(&forward, &unreachable)
    }

    /// Dispatches a request once KV has told of its host.
    pub fn when_found(&self, found: &Promise, request: &Request, env: &JsValue) -> Promise {
        let learn = self.learn().bind(&JsValue::UNDEFINED, request, env);
        let unreachable = self.unreachable().bind(&JsValue::UNDEFINED, request, env);
        settling(found).then_or(&learn, &unreachable)
    }

    /// Writes a data point once the user Worker has answered.
    pub fn when_answered(&self, answer: &Promise, request: &Request, env: &JsValue) -> Promise {
        let record = self.record().bind(&JsValue::UNDEFINED, request, env);
        settling(answer).then(&record)
    }
}

/// A promise of whatever kind, also one of a remote call.
fn settling(promise: &JsValue) -> &Settling {
    promise.unchecked_ref()
}
