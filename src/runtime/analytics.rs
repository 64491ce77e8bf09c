//! The optional data point per request.

use dotdo_names::Environment;
use js_sys::{Array, Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::failure::Target;

#[wasm_bindgen]
extern "C" {
    /// An Analytics Engine data set (<https://developers.cloudflare.com/analytics/analytics-engine/>).
    pub type Analytics;

    /// Returns at once; the runtime writes later.
    #[wasm_bindgen(method, catch, js_name = writeDataPoint)]
    fn write_data_point(this: &Analytics, point: &Object) -> Result<(), JsValue>;
}

/// The longest index, in bytes (<https://developers.cloudflare.com/analytics/analytics-engine/limits/>).
const MAX_INDEX: usize = 96;

impl Analytics {
    /// Writes index 1, the Worker (or the host, where no Worker was found); blobs 1 to 5, the error code (empty if a
    /// user Worker answered), environment, Worker, rule and host; double 1, the status.
    pub fn record(&self, code: &str, status: u16, target: &Target, host: &str) {
        let environment = target.environment.map_or("", Environment::name);
        let worker = target.worker.as_deref().unwrap_or_default();
        let index = if worker.is_empty() { host } else { worker };
        let index = index.get(..index.floor_char_boundary(MAX_INDEX)).unwrap_or(index);
        let blobs: Array = [
            code,
            environment,
            worker,
            target.rule.as_deref().unwrap_or_default(),
            host,
        ]
        .into_iter()
        .map(JsValue::from_str)
        .collect();
        let point = Object::new();
        for (member, value) in [
            ("indexes", Array::of1(&index.into())),
            ("blobs", blobs),
            ("doubles", Array::of1(&status.into())),
        ] {
            // A plain object of our own takes any member.
            let _ = Reflect::set(&point, &member.into(), &value);
        }
        // A data point that cannot be written must not cost the answer.
        let _ = self.write_data_point(&point);
    }
}
