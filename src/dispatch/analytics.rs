//! The optional data point per request.
//!
//! A point is one JSON text for `analytics.js`. `worker::AnalyticsEngineDataPointBuilder` crosses into JavaScript about thirty
//! times instead, and `Context::wait_until` needs a task: together they cost 20 % more CPU per request.

use dotdo_names::Environment;
use serde::Serialize;

use crate::errors::Target;

/// The longest index, in bytes (<https://developers.cloudflare.com/analytics/analytics-engine/limits/>).
const MAX_INDEX: usize = 96;

/// The texts of a data point. Double 1 is the status.
#[derive(Serialize)]
struct DataPoint<'a> {
    /// The Worker; the host if no Worker is known.
    indexes: [&'a str; 1],
    /// The error code (empty if a user Worker answered), environment, Worker, rule and host.
    blobs: [&'a str; 5],
}

/// The texts of a data point, as JSON. `code` is the error code, or empty if a user Worker answered.
#[must_use]
pub fn data_point(code: &str, target: &Target, host: &str) -> String {
    let worker = target.worker.as_deref().unwrap_or_default();
    let index = if worker.is_empty() { host } else { worker };
    let index = index.get(..index.floor_char_boundary(MAX_INDEX)).unwrap_or(index);
    let environment = target.environment.map_or("", Environment::name);
    let rule = target.rule.as_deref().unwrap_or_default();
    let point = DataPoint {
        indexes: [index],
        blobs: [code, environment, worker, rule, host],
    };
    // A struct of texts always serializes.
    serde_json::to_string(&point).unwrap_or_default()
}

#[cfg(target_arch = "wasm32")]
mod write {
    use js_sys::Promise;
    use wasm_bindgen::prelude::*;
    use worker::{Context, worker_sys};

    use super::data_point;
    use crate::dispatch::destination::Destination;
    use crate::dispatch::isolate::Isolate;
    use crate::dispatch::request_url;
    use crate::errors::{Failure, Target};

    #[wasm_bindgen(raw_module = "./analytics.js")]
    extern "C" {
        #[wasm_bindgen(js_name = writeDataPoint)]
        fn write_data_point(dataset: &JsValue, json: &str, status: u16);

        #[wasm_bindgen(js_name = writeWhenAnswered)]
        fn write_when_answered(
            dataset: &JsValue,
            json: &str,
            response: &Promise,
            context: &worker_sys::Context,
        );
    }

    impl Isolate {
        /// Writes the data point of a forwarded request when the user Worker has answered.
        pub fn record_when_answered(
            &self,
            response: &Promise,
            destination: &Destination<'_>,
            url: &str,
            context: &Context,
        ) {
            if let Some(dataset) = &self.analytics {
                let json = data_point("", &Target::from(destination), request_url::host(url));
                write_when_answered(dataset.as_ref(), &json, response, context.as_ref());
            }
        }

        /// Writes the data point of a request that is answered with an error.
        pub fn record_failure(&self, failure: &Failure, url: &str) {
            if let Some(dataset) = &self.analytics {
                let json = data_point(failure.code.name(), &failure.target, request_url::host(url));
                write_data_point(dataset.as_ref(), &json, failure.code.status());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn point(code: &str, target: &Target, host: &str) -> Value {
        serde_json::from_str(&data_point(code, target, host)).unwrap()
    }

    #[test]
    fn a_data_point_names_code_environment_worker_rule_and_host() {
        let target = Target {
            environment: Some(Environment::Staging),
            worker: Some("agents".to_owned()),
            rule: Some("built-in `{env}.{worker}.do`".to_owned()),
        };
        assert_eq!(
            point("WORKER_FAILED", &target, "staging.agents.do"),
            json!({
                "indexes": ["agents"],
                "blobs": ["WORKER_FAILED", "staging", "agents", "built-in `{env}.{worker}.do`", "staging.agents.do"],
            })
        );
    }

    #[test]
    fn without_a_worker_the_index_is_the_host_and_is_limited() {
        let host = format!("{}.example", "ü".repeat(MAX_INDEX));
        let point = point("HOST_UNKNOWN", &Target::default(), &host);
        assert_eq!(point["indexes"], json!(["ü".repeat(MAX_INDEX / 2)]));
        assert_eq!(point["blobs"], json!(["HOST_UNKNOWN", "", "", "", host]));
    }
}
