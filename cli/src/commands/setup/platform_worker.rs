//! The three Workers of the platform: what they are called, and by which bindings they are recognized.

use dotdo_names::{DEPLOY_API_WORKER, DISPATCH_WORKER, Environment, LOGS_WORKER};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A Worker of the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PlatformWorker {
    /// The logs Worker.
    Logs,
    /// The dispatch Worker.
    Dispatch,
    /// The deploy API.
    DeployApi,
}

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

impl PlatformWorker {
    /// Every Worker. Each has service bindings only to those before it, except the deploy API's binding to the dispatch Worker.
    pub const ALL: [Self; 3] = [Self::Logs, Self::Dispatch, Self::DeployApi];

    /// The script name in the account.
    #[must_use]
    pub const fn script(self) -> &'static str {
        match self {
            Self::Logs => LOGS_WORKER,
            Self::Dispatch => DISPATCH_WORKER,
            Self::DeployApi => DEPLOY_API_WORKER,
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Logs => "the logs Worker",
            Self::Dispatch => "the dispatch Worker",
            Self::DeployApi => "the deploy API",
        }
    }

    /// The argument of `npm run deploy`.
    #[must_use]
    pub const fn argument(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Dispatch => "dispatcher",
            Self::DeployApi => "deploy-api",
        }
    }

    /// Its wrangler configuration, from the top of the clone.
    #[must_use]
    pub const fn configuration(self) -> &'static str {
        match self {
            Self::Logs => "logs/wrangler.jsonc",
            Self::Dispatch => "wrangler.jsonc",
            Self::DeployApi => "deploy-api/wrangler.jsonc",
        }
    }

    /// The member of `dotdo.jsonc` with its script name.
    #[must_use]
    pub const fn name_member(self) -> &'static str {
        match self {
            Self::Logs => "workers.logs",
            Self::Dispatch => "workers.dispatch",
            Self::DeployApi => "workers.deploy_api",
        }
    }

    /// Compares the bindings of the Worker in the account with those that this clone deploys. `bucket` is the bucket of the deploy API.
    #[must_use]
    pub fn compare(self, bindings: &[Map<String, Value>], bucket: &str) -> Comparison {
        let has = |expected: &Value| {
            bindings.iter().any(|binding| {
                expected
                    .as_object()
                    .into_iter()
                    .flatten()
                    .all(|(member, value)| binding.get(member) == Some(value))
            })
        };
        let (marker, rest) = self.bindings(bucket);
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
    fn bindings(self, bucket: &str) -> (Value, Vec<Value>) {
        let object = |name: &str, class: &str| json!({ "type": "durable_object_namespace", "name": name, "class_name": class });
        let service =
            |name: &str, worker: Self| json!({ "type": "service", "name": name, "service": worker.script() });
        match self {
            Self::Logs => (object("LOGS", "WorkerLog"), Vec::new()),
            Self::Dispatch => {
                let namespaces = Environment::ALL.map(|environment| {
                    json!({
                        "type": "dispatch_namespace",
                        "name": environment.binding(),
                        "namespace": environment.namespace(),
                    })
                });
                let marker =
                    json!({ "type": "dispatch_namespace", "name": Environment::Production.binding() });
                (
                    marker,
                    namespaces
                        .into_iter()
                        .chain([service("LOGS", Self::Logs)])
                        .collect(),
                )
            }
            Self::DeployApi => (
                object("LEDGER", "Ledger"),
                vec![
                    json!({ "type": "r2_bucket", "name": "BUNDLES", "bucket_name": bucket }),
                    service("DISPATCHER", Self::Dispatch),
                    service("LOGS", Self::Logs),
                ],
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(worker: PlatformWorker, bindings: &Value) -> Comparison {
        let bindings: Vec<Map<String, Value>> = serde_json::from_value(bindings.clone()).unwrap();
        worker.compare(&bindings, "bundles")
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
