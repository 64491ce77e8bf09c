//! The binding of a dispatch namespace, as workerd types it
//! (<https://github.com/cloudflare/workerd/blob/main/types/defines/wfp.d.ts>).

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Request;

#[wasm_bindgen]
extern "C" {
    /// A dispatch namespace; on one machine, a service binding that stands in for it.
    #[derive(Clone)]
    pub type Namespace;

    /// A Worker, whether or not it exists: that turns out on `fetch`. On one machine, a promise of it.
    #[wasm_bindgen(method, catch)]
    pub fn get(this: &Namespace, name: &JsValue) -> Result<Fetcher, JsValue>;

    /// The same with arguments, of which there are none, and with options.
    #[wasm_bindgen(method, catch, js_name = get)]
    pub fn get_with(
        this: &Namespace,
        name: &JsValue,
        arguments: &JsValue,
        options: &JsValue,
    ) -> Result<Fetcher, JsValue>;

    /// A Worker that can be asked.
    pub type Fetcher;

    /// Only a promise has it.
    #[wasm_bindgen(method, getter)]
    fn then(this: &Fetcher) -> JsValue;

    /// Hands a request over; the same objects, no copies.
    #[wasm_bindgen(method, catch)]
    pub fn fetch(this: &Fetcher, request: &Request) -> Result<Promise, JsValue>;
}

impl Fetcher {
    /// Whether it is a promise of a Worker. `instanceof Promise` would not tell: a remote call's promise is none.
    pub fn is_promise(&self) -> bool {
        self.then().is_function()
    }
}
