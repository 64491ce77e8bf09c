//! Takes the steps on a platform, and checks it after each of them.

use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use deploy_api::dispatcher::DispatcherAnswer;
use futures_executor::block_on;
use serde_json::{Value, json};

use super::model::{Answer, Requested, Served};
use super::step::{Change, Place, Step};
use crate::platform::{Answered, MessageFault, Platform};
use crate::support::audit::verify;
use crate::support::callers::grant;
use crate::wrangler_upload::Upload;

/// The path of a Worker's health check.
const HEALTH_CHECK: &str = "/health-check";

/// The status that the health checks expect.
const HEALTHY: u16 = 204;

pub struct Run {
    platform: Platform,
    token: String,
    /// The last upload to each place.
    uploads: [Option<u8>; 2],
    /// The number of changes.
    changes: usize,
    /// The number of polls after which the next request ends.
    kill: Option<usize>,
    /// The places that were changed outside of the deploy API since its last change.
    changed_outside: [bool; 2],
}

impl Run {
    pub fn new() -> Self {
        let platform = Platform::new();
        let namespaces = Place::ALL.map(Place::namespace);
        let actions = [
            "read", "deploy", "delete", "secrets", "rollback", "promote", "lock",
        ];
        let token = platform.token("alice", &[grant(&namespaces, &["agents"], &actions)]);
        let run = Self {
            platform,
            token,
            uploads: [None; 2],
            changes: 0,
            kill: None,
            changed_outside: [false; 2],
        };
        run.set_healthy(true);
        run
    }

    pub fn take(&mut self, step: &Step) {
        match step {
            Step::Change(place, change) => self.change(*place, change),
            Step::SetHealthCheck(place, is_set) => {
                let body = json!({ "path": "/", "expect": HEALTHY }).to_string();
                let (method, body) = if *is_set {
                    ("PUT", body.as_str())
                } else {
                    ("DELETE", "")
                };
                self.v1(method, *place, HEALTH_CHECK, body);
            }
            Step::SetLock(place, is_set) => {
                let (method, body) = if *is_set {
                    ("PUT", r#"{"why": "a test"}"#)
                } else {
                    ("DELETE", "")
                };
                self.v1(method, *place, "/lock", body);
            }
            Step::SetHealthy(is_healthy) => self.set_healthy(*is_healthy),
            // While the outcome of a change is not known, nothing distinguishes an outside change from it.
            Step::DeployOutside(..) | Step::DeleteOutside(_) if self.platform.open() > 0 => {}
            Step::DeployOutside(place, version) => self.deploy_outside(*place, *version),
            Step::DeleteOutside(place) => {
                let key = key(*place);
                if self
                    .platform
                    .cloud
                    .scripts
                    .borrow_mut()
                    .by_key
                    .remove(&key)
                    .is_some()
                {
                    self.changed_outside[*place as usize] = true;
                }
            }
            Step::FailUpstream(fault) => self.platform.cloud.fail_next(fault.clone()),
            Step::FailMessages { after, fault } => {
                let mut messages = self.platform.messages.borrow_mut();
                *messages = std::iter::repeat_n(MessageFault::None, *after).collect();
                messages.extend([*fault; 4]);
            }
            Step::Kill { polls } => self.kill = Some(*polls),
            Step::RestartLedger => self.platform.restart_ledger(),
            Step::Pass(seconds) => self.platform.cloud.pass(*seconds),
            Step::Reconcile => self.reconcile(),
        }
        self.check();
    }

    /// Repairs everything, and checks that nothing stays open.
    pub fn end(&mut self) {
        self.platform.cloud.faults.borrow_mut().clear();
        self.platform.messages.borrow_mut().clear();
        self.platform.restart_ledger();
        self.platform.cloud.pass(200);
        self.reconcile();
        self.check();
        self.platform.assert_reconciled();
        let record = self.platform.record();
        for intent in record.iter().filter(|entry| entry["outcome"] == "intent") {
            let outcomes = record
                .iter()
                .filter(|entry| entry["intent"] == intent["sequence"]);
            assert_eq!(outcomes.count(), 1, "outcomes of {intent}");
        }
    }

    fn change(&mut self, place: Place, change: &Change) {
        self.changes += 1;
        let text = self.changes.to_string();
        let before = self.served(place);
        let uploads_before = self.platform.cloud.scripts.borrow().uploads;
        let recorded = self.deployments(place);
        let previous = self.current(place, &recorded);
        let mut restored: Vec<usize> = previous.and_then(version_of).into_iter().collect();
        if matches!(change, Change::Deploy(_) | Change::Retry) {
            let before_it = recorded
                .iter()
                .find(|deployment| previous.is_some_and(|previous| previous["previous"] == deployment["id"]));
            restored.extend(before_it.and_then(version_of));
        }
        let mut requested = Requested {
            change,
            version: self.version(place, change, &recorded),
            restored,
            text: &text,
        };
        let answered = self.request(place, change, &recorded, &text);
        self.platform.messages.borrow_mut().clear();
        if let Change::Rollback(None) = change {
            requested.version = self.deployments(place).first().and_then(version_of);
        }
        let answer = Answer::of(answered.as_ref());
        let after = self.served(place);
        let allowed = requested.allows(before.as_ref(), answer);
        let shown = answered.map_or_else(|| "the process ended".to_owned(), |answered| answered.text());
        assert!(
            allowed.contains(&after),
            "{change:?} of {place:?}: {shown}\nbefore: {before:?}\nafter: {after:?}\nallowed: {allowed:?}"
        );
        let is_uploaded = self.platform.cloud.scripts.borrow().uploads != uploads_before;
        let is_deleted = matches!(change, Change::Delete) && answer == Answer::Done;
        if is_uploaded || is_deleted {
            self.changed_outside[place as usize] = false;
        }
        if matches!(change, Change::Adopt) && answer != Answer::Refused {
            self.reconcile();
            self.changed_outside[place as usize] = self.is_drift(place);
            assert!(
                answer == Answer::Unknown || !self.changed_outside[place as usize],
                "{shown}"
            );
        }
    }

    /// The version that a change deploys.
    fn version(&self, place: Place, change: &Change, recorded: &[Value]) -> Option<usize> {
        match change {
            Change::Deploy(version) => Some((*version).into()),
            Change::Retry => Some(self.last_upload(place).into()),
            Change::Rollback(Some(index)) if !recorded.is_empty() => version_of(index.get(recorded)),
            Change::Overwrite => self.current(place, recorded).and_then(version_of),
            Change::Promote => {
                let there = self.deployments(place.other());
                self.current(place.other(), &there).and_then(version_of)
            }
            Change::Rollback(_)
            | Change::Delete
            | Change::PutSecret(_)
            | Change::DeleteSecret(_)
            | Change::Adopt => None,
        }
    }

    fn last_upload(&self, place: Place) -> u8 {
        self.uploads[place as usize].unwrap_or(1)
    }

    /// Sends a change. `None` if the process ended before the answer.
    fn request(&mut self, place: Place, change: &Change, recorded: &[Value], text: &str) -> Option<Answered> {
        let namespace = place.namespace();
        let worker = |below: &str| format!("/v1/namespaces/{namespace}/workers/agents{below}");
        let (call, body) = match change {
            Change::Deploy(_) | Change::Retry => {
                if let Change::Deploy(version) = change {
                    self.uploads[place as usize] = Some(*version);
                }
                let kill = self.kill.take();
                let upload = Upload::of(&"x".repeat(self.last_upload(place).into()));
                return poll(self.platform.deploying(&self.token, namespace, &upload), kill);
            }
            Change::Rollback(index) => {
                let id = index
                    .as_ref()
                    .filter(|_| !recorded.is_empty())
                    .map(|index| &index.get(recorded)["id"]);
                let body = id.map_or_else(String::new, |id| json!({ "deployment": id }).to_string());
                (format!("POST {}", worker("/rollback")), body)
            }
            Change::Promote => {
                let from = place.other().namespace();
                let body = json!({ "to": namespace }).to_string();
                (format!("POST /v1/namespaces/{from}/workers/agents/promote"), body)
            }
            Change::Delete => (format!("DELETE {}", worker("")), String::new()),
            Change::Adopt => (
                format!("POST {}", worker("/drift")),
                r#"{"resolve": "adopt"}"#.to_owned(),
            ),
            Change::Overwrite => (
                format!("POST {}", worker("/drift")),
                r#"{"resolve": "overwrite"}"#.to_owned(),
            ),
            Change::PutSecret(name) => (
                format!("PUT {}", worker(&format!("/secrets/{name}"))),
                json!({ "text": text }).to_string(),
            ),
            Change::DeleteSecret(name) => (
                format!("DELETE {}", worker(&format!("/secrets/{name}"))),
                String::new(),
            ),
        };
        let headers = [("content-type", "application/json")];
        let kill = self.kill.take();
        poll(
            self.platform.ask(&self.token, &call, &headers, body.into_bytes()),
            kill,
        )
    }

    fn v1(&self, method: &str, place: Place, below: &str, body: &str) -> Answered {
        let call = format!(
            "{method} /v1/namespaces/{}/workers/agents{below}",
            place.namespace()
        );
        self.platform.call(&self.token, &call, body)
    }

    /// The Worker as the deploy API shows it.
    fn shown(&self, place: Place) -> Answered {
        let faults = self.platform.messages.take();
        let shown = self.v1("GET", place, "", "");
        self.platform.messages.replace(faults);
        shown
    }

    /// Whether the deploy API shows a change that was made outside.
    pub fn is_drift(&self, place: Place) -> bool {
        self.shown(place).body["drift"].is_object()
    }

    /// The current deployment by the records, which does not serve if the Worker was changed outside.
    fn current<'a>(&self, place: Place, recorded: &'a [Value]) -> Option<&'a Value> {
        let shown = self.shown(place);
        let id = &shown.body["recorded_deployment"];
        recorded.iter().find(|deployment| deployment["id"] == *id)
    }

    fn set_healthy(&self, is_healthy: bool) {
        let status = if is_healthy { HEALTHY } else { 500 };
        *self.platform.cloud.dispatcher_answers.borrow_mut() = VecDeque::from([DispatcherAnswer {
            status,
            error: None,
            content: None,
        }]);
    }

    fn deploy_outside(&mut self, place: Place, version: u8) {
        let code = "o".repeat(version.into());
        self.platform
            .cloud
            .scripts
            .borrow_mut()
            .upload_outside(&key(place), &code);
        self.changed_outside[place as usize] = true;
    }

    fn reconcile(&self) {
        // A reconciler whose calls fail tries again at its next run.
        for _ in 0..4 {
            let _ = block_on(self.platform.reconciling_with(None));
            self.platform.cloud.pass(100);
        }
    }

    /// What the upstream has.
    pub fn served(&self, place: Place) -> Option<Served> {
        let scripts = self.platform.cloud.scripts.borrow();
        let script = scripts.get(&key(place))?;
        Some(Served {
            version: script.modules["index.js"].len(),
            secrets: script.secrets.clone(),
        })
    }

    fn deployments(&self, place: Place) -> Vec<Value> {
        self.platform.deployments(place.namespace())
    }

    /// The chain is valid, each intent has at most one outcome, and where no change is open, the recorded deployment is what the
    /// upstream has.
    fn check(&self) {
        assert!(verify(self.platform.sql).is_ok());
        let mut outcomes = BTreeMap::new();
        for entry in self.platform.record() {
            if let Some(intent) = entry["intent"].as_u64() {
                *outcomes.entry(intent).or_insert(0) += 1;
            }
        }
        assert!(outcomes.values().all(|count| *count == 1), "{outcomes:?}");
        if self.platform.open() > 0 {
            return;
        }
        for place in Place::ALL {
            let served = self.served(place);
            // It compares the upstream with the records.
            let shown = self.shown(place);
            let recorded = self.deployments(place);
            let serving = recorded.iter().find(|deployment| deployment["serving"] == true);
            let is_drift = shown.body["drift"].is_object();
            if self.changed_outside[place as usize] {
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
    }
}

fn key(place: Place) -> String {
    format!("{}/agents", place.namespace())
}

/// The version of a recorded deployment; `None` if it was adopted, because its bytes are not known.
fn version_of(deployment: &Value) -> Option<usize> {
    let size = deployment["bundle"]["modules"][0]["size"].as_u64();
    size.and_then(|size| usize::try_from(size).ok())
}

/// Runs a request, at most for a number of polls.
fn poll<T>(request: impl Future<Output = T>, polls: Option<usize>) -> Option<T> {
    let Some(polls) = polls else {
        return Some(block_on(request));
    };
    let mut request = pin!(request);
    let mut context = Context::from_waker(Waker::noop());
    (0..polls).find_map(|_| match request.as_mut().poll(&mut context) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    })
}
