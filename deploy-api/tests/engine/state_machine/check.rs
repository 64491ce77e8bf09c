//! What holds after each step.
//!
//! - The chain of the audit log is valid, and each intent has at most one outcome.
//! - Where no change is open, the recorded deployment is what the upstream has, and a change outside of the deploy API is found.
//! - The platform deletes only previews, each one when its lifetime after its last recorded deploy is over, unless it is locked; the entries
//!   say that it was the platform, and why.
//! - A deployment of the deploy API is recorded as live only if that version ran.

use std::collections::{BTreeMap, BTreeSet};

use deploy_api::deployments::DeploymentId;
use deploy_api::store::previews;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::place::Place;
use super::reads::version_of;
use super::run::Run;
use super::step::LIFETIME_DAYS;
use crate::support::audit::verify;

impl Run {
    /// Checks everything.
    pub fn check(&mut self) {
        assert!(verify(self.platform.sql).is_ok());
        let record = self.platform.record();
        let mut outcomes = BTreeMap::new();
        for intent in record.iter().filter_map(|entry| entry["intent"].as_u64()) {
            *outcomes.entry(intent).or_insert(0) += 1;
        }
        assert!(outcomes.values().all(|count| *count == 1), "{outcomes:?}");
        self.check_deploy_api();
        let expiries = expiries(&record);
        for place in self.places.clone() {
            if self.is_open(place) {
                continue;
            }
            self.check_record(place);
            if let Some(preview) = self.target(place).preview() {
                let recorded = previews::expires(self.platform.sql, &preview).unwrap();
                let expected = expiries.get(preview.name().as_str()).copied();
                assert_eq!(recorded, expected, "{place:?}");
            }
        }
    }

    fn check_record(&self, place: Place) {
        let served = self.served(place);
        let shown = self.shown(place);
        let recorded = self.deployments(place);
        let serving = recorded.iter().find(|deployment| deployment["serving"] == true);
        let is_drift = shown.body["drift"].is_object();
        if place.is_in_account() && shown.body["recorded_deployment"].is_null() {
            // What setup deployed is not compared.
            assert!(!is_drift && serving.is_none(), "{place:?}: {}", shown.text());
        } else if self.changed_outside.contains(&place) {
            assert!(is_drift || served.is_none(), "{place:?}: {}", shown.text());
            if is_drift {
                assert_eq!(serving, None, "{place:?}");
            }
        } else {
            assert!(!is_drift, "{place:?}: {}", shown.text());
            assert_eq!(serving.is_some(), served.is_some(), "{place:?}");
            if let Some(version) = serving.and_then(version_of) {
                assert_eq!(Some(version), served.map(|served| served.version), "{place:?}");
            }
        }
    }

    /// A version of the deploy API that did not run before its time was over is recorded as failed, and what the account has is a drift
    /// then.
    fn check_deploy_api(&mut self) {
        let recorded = self.deployments(Place::DeployApi);
        for deployment in recorded.iter().filter(|found| found["state"] == "succeeded") {
            let id = deployment["id"].as_str().unwrap();
            assert!(self.ran.contains(id), "{deployment}");
        }
        if self.is_open(Place::DeployApi) {
            return;
        }
        let deployed = {
            let scripts = self.platform.cloud.scripts.borrow();
            let script = scripts.get(&self.key(Place::DeployApi));
            script.map(|script| script.tags.clone()).unwrap_or_default()
        };
        let is_deployed = |id: &str| deployed.contains(&DeploymentId::parse(id).unwrap().tag());
        if let Some(newest) = recorded.first()
            && newest["state"] == "failed"
            && is_deployed(newest["id"].as_str().unwrap())
        {
            assert_ne!(self.started.as_deref(), newest["id"].as_str(), "{newest}");
            self.changed_outside.insert(Place::DeployApi);
        }
    }
}

/// When each preview expires by the audit log. Checks the deletions of the platform.
fn expiries(record: &[Value]) -> BTreeMap<&str, Timestamp> {
    let lifetime = SignedDuration::from_hours(24 * LIFETIME_DAYS);
    let mut expiries = BTreeMap::new();
    let mut locked = BTreeSet::new();
    for entry in record {
        let (Some(verb), Some(outcome)) = (entry["verb"].as_str(), entry["outcome"].as_str()) else {
            continue;
        };
        let is_of_platform = entry["identity"] == json!({ "kind": "platform" }) && verb == "delete";
        let is_expiry = entry["subject"]["kind"] == "expired_preview";
        assert!(is_of_platform || !is_expiry, "{entry}");
        assert_eq!(
            is_of_platform,
            entry["authority"]["rule"] == "expired-preview",
            "{entry}"
        );
        let Some(worker) = entry["worker"].as_str() else {
            continue;
        };
        if entry["namespace"] != Place::PullRequest.namespace() {
            assert!(!is_of_platform, "{entry}");
            continue;
        }
        let time: Timestamp = entry["time"].as_str().unwrap().parse().unwrap();
        match (verb, outcome) {
            ("lock", "succeeded") => {
                locked.insert(worker);
            }
            ("unlock", "succeeded") => {
                locked.remove(worker);
            }
            ("delete", "intent") if is_of_platform => {
                let expired = entry["subject"]["expired"].as_str().unwrap().parse().ok();
                assert_eq!(expired, expiries.get(worker).copied(), "{entry}");
                assert!(expired.is_some_and(|expired| expired <= time), "{entry}");
                assert!(!locked.contains(worker), "{entry}");
            }
            ("delete", "succeeded") => {
                expiries.remove(worker);
            }
            ("deploy" | "rollback" | "promote" | "preview" | "adopt", "succeeded") => {
                if entry["deployment"].is_string() {
                    expiries.insert(worker, time + lifetime);
                } else {
                    expiries.remove(worker);
                }
            }
            _ => {}
        }
    }
    expiries
}
