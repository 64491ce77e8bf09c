//! The KV namespace of custom hostnames.

use js_sys::{Array, Map, Promise};
use wasm_bindgen::prelude::*;

use super::namespace::or_undefined;

#[wasm_bindgen]
extern "C" {
    /// A KV namespace.
    pub type Hostnames;

    /// A map from each key to its value or null, in one operation
    /// (<https://developers.cloudflare.com/kv/api/read-key-value-pairs/#multiple-keys>).
    #[wasm_bindgen(method, catch)]
    fn get(this: &Hostnames, keys: &Array) -> Result<Option<Promise>, JsValue>;
}

impl Hostnames {
    /// Asks for a host's entry: under `hostname:<host>`, or under the bare host.
    pub fn ask(&self, host: &str) -> Result<Promise, JsValue> {
        self.get(&Array::of2(&prefixed(host), &host.into()))
            .map(or_undefined)
    }
}

/// A host's entry in what [`Hostnames::ask`] was answered.
pub fn entry(found: &JsValue, host: &str) -> Option<String> {
    let found: &Map = found.dyn_ref()?;
    let entry = found.get(&prefixed(host)).as_string();
    entry.or_else(|| found.get(&host.into()).as_string())
}

fn prefixed(host: &str) -> JsValue {
    ["hostname:", host].concat().into()
}
