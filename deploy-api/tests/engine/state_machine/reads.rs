//! What the deploy API and the upstream show of the Workers of a run.

use deploy_api::store::{health_checks, leases};
use deploy_api::target::Target;
use serde_json::Value;

use super::model::Served;
use super::place::Place;
use super::run::Run;
use crate::platform::Answered;

impl Run {
    pub fn v1(&self, method: &str, place: Place, below: &str, body: &str) -> Answered {
        let target = self.target(place);
        let (namespace, worker) = (target.namespace(), &target.worker);
        let call = format!("{method} /v1/namespaces/{namespace}/workers/{worker}{below}");
        self.platform.call(&self.token, &call, body)
    }

    /// The Worker as the deploy API shows it. It compares the upstream with the records.
    pub fn shown(&self, place: Place) -> Answered {
        let faults = self.platform.messages.take();
        let shown = self.v1("GET", place, "", "");
        self.platform.messages.replace(faults);
        shown
    }

    /// Whether the deploy API shows a change that was made outside.
    pub fn is_drift(&self, place: Place) -> bool {
        self.shown(place).body["drift"].is_object()
    }

    pub fn is_recorded(&self, place: Place) -> bool {
        self.shown(place).body["recorded_deployment"].is_string()
    }

    /// The current deployment by the records, which does not serve if the Worker was changed outside.
    pub fn current<'a>(&self, place: Place, recorded: &'a [Value]) -> Option<&'a Value> {
        let shown = self.shown(place);
        let id = &shown.body["recorded_deployment"];
        recorded.iter().find(|deployment| deployment["id"] == *id)
    }

    /// What the upstream has.
    pub fn served(&self, place: Place) -> Option<Served> {
        let scripts = self.platform.cloud.scripts.borrow();
        let script = scripts.get(&self.key(place))?;
        Some(Served {
            version: script.modules["index.js"].len(),
            secrets: script.secrets.clone(),
        })
    }

    pub fn target(&self, place: Place) -> Target {
        place.target(self.previewed.as_deref())
    }

    pub fn key(&self, place: Place) -> String {
        let target = self.target(place);
        format!("{}/{}", target.namespace(), target.worker)
    }

    pub fn deployments(&self, place: Place) -> Vec<Value> {
        self.platform.deployments_of(&self.target(place))
    }

    /// Whether the outcome of a change of a Worker, or its health check, is not recorded yet.
    pub fn is_open(&self, place: Place) -> bool {
        let target = self.target(place);
        leases::of_worker(self.platform.sql, &target).unwrap().is_some()
            || health_checks::of_worker(self.platform.sql, &target)
                .unwrap()
                .is_some()
    }
}

/// The version of a recorded deployment; `None` if it was adopted, because its bytes are not known.
pub fn version_of(deployment: &Value) -> Option<usize> {
    let size = deployment["bundle"]["modules"][0]["size"].as_u64();
    size.and_then(|size| usize::try_from(size).ok())
}
