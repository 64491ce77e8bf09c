//! The binding of a dispatch namespace, as workerd types it
//! (<https://github.com/cloudflare/workerd/blob/main/types/defines/wfp.d.ts>).

use js_sys::{Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Request;

#[wasm_bindgen]
extern "C" {
    /// A dispatch namespace; on one machine, a service binding that stands in for it.
    #[derive(Clone)]
    pub type Namespace;

    /// A Worker, whether or not it exists: that turns out on `fetch`. On one machine, a promise of it.
    #[wasm_bindgen(method, catch)]
    fn get(this: &Namespace, name: &JsValue) -> Result<Option<Fetcher>, JsValue>;

    /// The same with arguments, of which there are none, and with options.
    #[wasm_bindgen(method, catch, js_name = get)]
    fn get_with(
        this: &Namespace,
        name: &JsValue,
        arguments: &JsValue,
        options: &JsValue,
    ) -> Result<Option<Fetcher>, JsValue>;

    /// A Worker that can be asked.
    pub type Fetcher;

    /// Only a promise has it.
    #[wasm_bindgen(method, getter)]
    fn then(this: &Fetcher) -> JsValue;

    #[wasm_bindgen(method, catch, js_name = fetch)]
    fn try_fetch(this: &Fetcher, request: &Request) -> Result<Option<Promise>, JsValue>;
}

impl Namespace {
    /// The Worker of that name, with options if there are any.
    pub fn worker(&self, name: &JsValue, options: Option<&JsValue>) -> Result<Fetcher, JsValue> {
        let worker = match options {
            None => self.get(name),
            Some(options) => self.get_with(name, &Object::new(), options),
        };
        worker.map(or_undefined)
    }
}

impl Fetcher {
    /// Hands a request over; the same objects, no copies.
    pub fn fetch(&self, request: &Request) -> Result<Promise, JsValue> {
        self.try_fetch(request).map(or_undefined)
    }

    /// Whether it is a promise of a Worker. `instanceof Promise` would not tell: a remote call's promise is none.
    pub fn is_promise(&self) -> bool {
        self.then().is_function()
    }
}

/// What a call gave. It is declared optional only for the case that it throws: wasm-bindgen keeps a place in the table
/// of objects for a plain return value even then, and never frees it.
pub fn or_undefined<T: JsCast>(value: Option<T>) -> T {
    value.unwrap_or_else(|| JsValue::UNDEFINED.unchecked_into())
}
