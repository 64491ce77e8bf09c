//! By which bindings the Workers of the platform are recognized in an account.

use dotdo_names::Environment;
use serde_json::{Map, Value, json};
use wrangler_config::PlatformWorker;

/// How a deployed Worker compares with the one that this clone deploys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// It has every binding.
    Same,
    /// It is the platform's, and this binding is missing or differs.
    Differs(String),
    /// It is another Worker with the same name.
    Foreign,
}

/// Compares the bindings of a Worker in the account with those that this clone deploys. `bucket` is the bucket of the deploy API.
#[must_use]
pub fn compare(worker: PlatformWorker, bindings: &[Map<String, Value>], bucket: &str) -> Comparison {
    let has = |expected: &Value| {
        bindings.iter().any(|binding| {
            expected
                .as_object()
                .into_iter()
                .flatten()
                .all(|(member, value)| binding.get(member) == Some(value))
        })
    };
    let (marker, rest) = expected(worker, bucket);
    if !has(&marker) {
        return Comparison::Foreign;
    }
    match rest.iter().find(|expected| !has(expected)) {
        None => Comparison::Same,
        Some(missing) => Comparison::Differs(
            missing
                .get("name")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
        ),
    }
}

/// The binding by which the Worker is recognized in every account, and the others, with the members that identify their targets.
fn expected(worker: PlatformWorker, bucket: &str) -> (Value, Vec<Value>) {
    let object = |name: &str, class: &str| json!({ "type": "durable_object_namespace", "name": name, "class_name": class });
    let service = |name: &str, worker: PlatformWorker| json!({ "type": "service", "name": name, "service": worker.script() });
    match worker {
        PlatformWorker::Logs => (object("LOGS", "WorkerLog"), Vec::new()),
        PlatformWorker::Dispatch => {
            let namespaces = Environment::ALL.map(|environment| {
                json!({
                    "type": "dispatch_namespace",
                    "name": environment.binding(),
                    "namespace": environment.namespace(),
                })
            });
            let marker = json!({ "type": "dispatch_namespace", "name": Environment::Production.binding() });
            (
                marker,
                namespaces
                    .into_iter()
                    .chain([service("LOGS", PlatformWorker::Logs)])
                    .collect(),
            )
        }
        PlatformWorker::DeployApi => (
            object("LEDGER", "Ledger"),
            vec![
                json!({ "type": "r2_bucket", "name": "BUNDLES", "bucket_name": bucket }),
                service("DISPATCHER", PlatformWorker::Dispatch),
                service("LOGS", PlatformWorker::Logs),
            ],
        ),
    }
}

#[cfg(test)]
mod tests {
    use dotdo_names::{DISPATCH_WORKER, LOGS_WORKER};

    use super::*;

    fn compared(worker: PlatformWorker, bindings: &Value) -> Comparison {
        let bindings: Vec<Map<String, Value>> = serde_json::from_value(bindings.clone()).unwrap();
        compare(worker, &bindings, "bundles")
    }

    #[test]
    fn a_worker_is_recognized_by_its_bindings() {
        let ledger = json!({ "type": "durable_object_namespace", "name": "LEDGER", "class_name": "Ledger", "namespace_id": "0" });
        let bucket = json!({ "type": "r2_bucket", "name": "BUNDLES", "bucket_name": "bundles" });
        let dispatcher = json!({ "type": "service", "name": "DISPATCHER", "service": DISPATCH_WORKER, "environment": "production" });
        let logs = json!({ "type": "service", "name": "LOGS", "service": LOGS_WORKER });
        let api = PlatformWorker::DeployApi;
        assert_eq!(
            compared(api, &json!([ledger, bucket, dispatcher, logs])),
            Comparison::Same
        );
        assert_eq!(
            compared(api, &json!([ledger, bucket, logs])),
            Comparison::Differs("DISPATCHER".to_owned())
        );
        let other = json!({ "type": "r2_bucket", "name": "BUNDLES", "bucket_name": "others" });
        assert_eq!(
            compared(api, &json!([ledger, other, dispatcher, logs])),
            Comparison::Differs("BUNDLES".to_owned())
        );
        assert_eq!(
            compared(api, &json!([bucket, dispatcher, logs])),
            Comparison::Foreign
        );
        assert_eq!(compared(PlatformWorker::Logs, &json!([])), Comparison::Foreign);
        let production =
            json!({ "type": "dispatch_namespace", "name": "DISPATCHER_PRODUCTION", "namespace": "others" });
        assert_eq!(
            compared(PlatformWorker::Dispatch, &json!([production])),
            Comparison::Differs("DISPATCHER_PRODUCTION".to_owned())
        );
    }
}
