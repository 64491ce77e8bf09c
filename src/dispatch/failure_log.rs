//! The log of the Worker that a failed request was for.

use serde::Serialize;

use crate::errors::{Failure, truncated_cause};

/// A failure for the logs Worker: `DispatchFailure` in `logs/src/trace.ts`, without the members that `failure_log.js` adds.
#[derive(Serialize)]
struct FailureRecord<'a> {
    code: &'static str,
    status: u16,
    /// The dispatch namespace.
    namespace: &'static str,
    worker: &'a str,
    request_id: &'a str,
    host: &'a str,
    cause: &'a str,
}

/// A failure as JSON. `None` if it is not known which Worker the request was for. `host` is the request's host.
#[must_use]
pub fn failure_record(failure: &Failure, host: &str, request_id: &str) -> Option<String> {
    let record = FailureRecord {
        code: failure.code.name(),
        status: failure.code.status(),
        namespace: failure.target.environment?.namespace(),
        worker: failure.target.worker.as_deref()?,
        request_id,
        host,
        cause: truncated_cause(&failure.cause),
    };
    serde_json::to_string(&record).ok()
}

#[cfg(target_arch = "wasm32")]
mod write {
    use wasm_bindgen::prelude::*;
    use web_sys::Request;
    use worker::worker_sys::Context;

    use super::failure_record;
    use crate::dispatch::request_url;
    use crate::errors::Failure;

    #[wasm_bindgen(raw_module = "./failure_log.js")]
    extern "C" {
        #[wasm_bindgen(js_name = recordFailure)]
        fn record_failure(logs: &JsValue, json: &str, request: &Request, context: &Context);
    }

    /// Sends a failure to the logs Worker, if it is known which Worker the request was for.
    pub fn send(
        logs: &JsValue,
        failure: &Failure,
        request: &Request,
        url: &str,
        request_id: &str,
        context: &Context,
    ) {
        if let Some(json) = failure_record(failure, request_url::host(url), request_id) {
            record_failure(logs, &json, request, context);
        }
    }
}

#[cfg(target_arch = "wasm32")]
pub use write::send;

#[cfg(test)]
mod tests {
    use dotdo_names::Environment;
    use serde_json::{Value, json};

    use super::*;
    use crate::errors::Target;

    fn record(target: Target) -> Option<Value> {
        let failure = Failure::from_fetch_error("boom", target);
        let record = failure_record(&failure, "staging.agents.do", "ray-1")?;
        serde_json::from_str(&record).ok()
    }

    #[test]
    fn a_failure_names_namespace_worker_and_request() {
        let target = Target {
            environment: Some(Environment::Staging),
            worker: Some("agents".to_owned()),
            rule: None,
        };
        assert_eq!(
            record(target),
            Some(json!({
                "code": "WORKER_FAILED",
                "status": 502,
                "namespace": Environment::Staging.namespace(),
                "worker": "agents",
                "request_id": "ray-1",
                "host": "staging.agents.do",
                "cause": "boom",
            }))
        );
    }

    #[test]
    fn a_failure_of_no_worker_is_not_recorded() {
        assert_eq!(record(Target::default()), None);
    }
}
