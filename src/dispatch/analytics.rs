//! The optional data point per request.

use dotdo_names::Environment;
use js_sys::Promise;
use wasm_bindgen::JsCast;
use web_sys::Response;
use worker::{AnalyticsEngineDataPointBuilder, AnalyticsEngineDataset, Context};

use super::destination::Destination;
use super::isolate::Isolate;
use super::request_url;
use crate::errors::{Failure, Target};

/// The longest index, in bytes (<https://developers.cloudflare.com/analytics/analytics-engine/limits/>).
const MAX_INDEX: usize = 96;

impl Isolate {
    /// Writes the data point of a forwarded request as soon as the user Worker has answered. A request that is rejected has
    /// the data point of its failure.
    pub fn record_when_answered(
        &'static self,
        response: &Promise,
        destination: &Destination<'_>,
        url: &str,
        context: &Context,
    ) {
        let Some(dataset) = &self.analytics else {
            return;
        };
        let (response, target) = (response.clone(), Target::from(destination));
        let host = request_url::host(url).to_owned();
        context.wait_until(async move {
            if let Ok(response) = response.await {
                let response: Response = response.unchecked_into();
                write(dataset, "", response.status(), &target, &host);
            }
        });
    }

    /// Writes the data point of a request that is answered with an error.
    pub fn record_failure(&self, failure: &Failure, url: &str) {
        if let Some(dataset) = &self.analytics {
            let code = failure.code;
            write(
                dataset,
                code.name(),
                code.status(),
                &failure.target,
                request_url::host(url),
            );
        }
    }
}

/// Writes index 1, the Worker (or the host, if no Worker is known); blobs 1 to 5, the error code (empty if a user Worker
/// answered), environment, Worker, rule and host; double 1, the status.
fn write(dataset: &AnalyticsEngineDataset, code: &str, status: u16, target: &Target, host: &str) {
    let environment = target.environment.map_or("", Environment::name);
    let worker = target.worker.as_deref().unwrap_or_default();
    let rule = target.rule.as_deref().unwrap_or_default();
    let index = if worker.is_empty() { host } else { worker };
    let index = index.get(..index.floor_char_boundary(MAX_INDEX)).unwrap_or(index);
    let point = AnalyticsEngineDataPointBuilder::new()
        .indexes([index])
        .blobs([code, environment, worker, rule, host])
        .add_double(status);
    // A data point that cannot be written must not cost the response.
    let _ = point.write_to(dataset);
}
