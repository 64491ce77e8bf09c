//! The binding of a dispatch namespace, as workerd types it
//! (<https://github.com/cloudflare/workerd/blob/main/types/defines/wfp.d.ts>).
//!
//! This is an extern of our own because `worker::DynamicDispatcher::get` takes neither limits nor outbound parameters, and
//! because `worker::Env::dynamic_dispatcher` rejects the remote binding of `wrangler dev`.

use js_sys::{Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Request;
use worker::EnvBinding;

#[wasm_bindgen]
extern "C" {
    /// A dispatch namespace; on the local platform, a service binding with the same methods.
    #[derive(Clone)]
    pub type Namespace;

    /// The Worker with that name. It may not exist: only its `fetch` rejects then. Under `wrangler dev` and on the local
    /// platform this returns a promise of the Worker.
    #[wasm_bindgen(method, catch)]
    fn get(this: &Namespace, name: &JsValue) -> Result<Option<Fetcher>, JsValue>;

    #[wasm_bindgen(method, catch, js_name = get)]
    fn get_with_options(
        this: &Namespace,
        name: &JsValue,
        arguments: &JsValue,
        options: &JsValue,
    ) -> Result<Option<Fetcher>, JsValue>;

    /// A user Worker, or the promise of one.
    pub type Fetcher;

    #[wasm_bindgen(method, getter)]
    fn then(this: &Fetcher) -> JsValue;

    #[wasm_bindgen(method, catch, js_name = fetch)]
    fn try_fetch(this: &Fetcher, request: &Request) -> Result<Option<Promise>, JsValue>;
}

impl Namespace {
    /// The Worker with that name, or the promise of it, with options if there are any.
    pub fn worker(&self, name: &JsValue, options: Option<&JsValue>) -> Result<Fetcher, JsValue> {
        let worker = match options {
            None => self.get(name),
            Some(options) => self.get_with_options(name, &Object::new(), options),
        };
        worker.map(or_undefined)
    }
}

impl EnvBinding for Namespace {
    const TYPE_NAME: &'static str = "DynamicDispatcher";

    // Without the check of the type's name, which is `Object` under `wrangler dev` and `Fetcher` on the local platform.
    fn get(binding: JsValue) -> worker::Result<Self> {
        Ok(binding.unchecked_into())
    }
}

impl Fetcher {
    /// Sends the request. Request and response are passed through, not copied.
    pub fn fetch(&self, request: &Request) -> Result<Promise, JsValue> {
        self.try_fetch(request).map(or_undefined)
    }

    /// Whether this is the promise of a Worker. `instanceof Promise` is false for the promise of a remote call.
    pub fn is_promise(&self) -> bool {
        self.then().is_function()
    }
}

/// The return value of a call that may throw. Such calls are declared to return an `Option` because wasm-bindgen otherwise
/// leaks an entry of its table of objects each time one throws.
fn or_undefined<T: JsCast>(value: Option<T>) -> T {
    value.unwrap_or_else(|| JsValue::UNDEFINED.unchecked_into())
}
