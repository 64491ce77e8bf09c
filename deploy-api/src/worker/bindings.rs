use js_sys::{Object, Promise, Uint8Array};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// A service binding, or the global object: whatever has a `fetch`.
    #[derive(Clone)]
    pub type Fetcher;

    #[wasm_bindgen(method, catch)]
    pub fn fetch(this: &Fetcher, request: &web_sys::Request) -> Result<Promise, JsValue>;

    /// An R2 bucket. <https://developers.cloudflare.com/r2/api/workers/workers-api-reference/>
    pub type Bucket;

    #[wasm_bindgen(method, catch)]
    pub fn get(this: &Bucket, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    pub fn put(this: &Bucket, key: &str, value: &Uint8Array, options: &Object) -> Result<Promise, JsValue>;

    /// What [`Bucket::get`] answers, unless it is null.
    pub type StoredObject;

    #[wasm_bindgen(method, catch, js_name = arrayBuffer)]
    pub fn array_buffer(this: &StoredObject) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    pub fn get_random_values(buffer: &mut [u8]) -> Result<(), JsValue>;

    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    pub fn random_uuid() -> String;

    /// <https://developers.cloudflare.com/workers/runtime-apis/scheduler/>
    #[wasm_bindgen(js_namespace = scheduler, catch)]
    pub fn wait(milliseconds: u32) -> Result<Promise, JsValue>;
}

/// A member of `env`, unless it is missing.
pub fn binding(env: &JsValue, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(env, &JsValue::from_str(name))
        .ok()
        .filter(|value| !value.is_undefined() && !value.is_null())
}

/// What a thrown value says, for the log.
pub fn message_of(thrown: &JsValue) -> String {
    thrown.dyn_ref::<js_sys::Error>().map_or_else(
        || {
            thrown
                .as_string()
                .unwrap_or_else(|| "something that is no error was thrown".to_owned())
        },
        |error| {
            format!(
                "{}: {}",
                String::from(error.name()),
                String::from(error.message())
            )
        },
    )
}
