//! The optional data point per request.

use dotdo_names::Environment;
use js_sys::JSON;
use wasm_bindgen::prelude::*;

use crate::failure::Target;
use crate::json::ObjectWriter;

#[wasm_bindgen]
extern "C" {
    /// An Analytics Engine data set (<https://developers.cloudflare.com/analytics/analytics-engine/>).
    pub type Analytics;

    /// Returns at once; the runtime writes later.
    #[wasm_bindgen(method, catch, js_name = writeDataPoint)]
    fn write_data_point(this: &Analytics, point: &JsValue) -> Result<(), JsValue>;
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
        let blobs = [
            code,
            environment,
            worker,
            target.rule.as_deref().unwrap_or_default(),
            host,
        ];
        let point = ObjectWriter::new()
            .strings("indexes", &[index])
            .strings("blobs", &blobs)
            .raw("doubles", &["[", &u32::from(status).to_string(), "]"].concat())
            .finish();
        // A data point that cannot be written must not cost the answer.
        let _ = JSON::parse(&point).and_then(|point| self.write_data_point(&point));
    }
}
