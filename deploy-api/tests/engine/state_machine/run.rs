//! Takes the steps on a platform, and checks it after each of them.

use std::collections::{BTreeSet, VecDeque};

use deploy_api::deployments::DeploymentId;
use deploy_api::dispatcher::DispatcherAnswer;
use deploy_api::store::previews;
use futures_executor::block_on;
use serde_json::{Value, json};

use super::model::{Answer, Requested, Served};
use super::place::Place;
use super::polls::{at_once, poll};
use super::reads::version_of;
use super::request::{Sent, Uploads, chosen};
use super::step::{Change, LIFETIME_DAYS, Other, Step};
use crate::platform::{MessageFault, Platform};
use crate::support::callers::grant;

/// The path of a Worker's health check.
const HEALTH_CHECK: &str = "/health-check";

/// The status that the health checks expect.
const HEALTHY: u16 = 204;

/// What may be done to the Workers of the namespaces, and to those of the account.
const ACTIONS: [&str; 7] = [
    "read", "deploy", "delete", "secrets", "rollback", "promote", "lock",
];

pub struct Run {
    pub platform: Platform,
    pub token: String,
    uploads: Uploads,
    /// The number of changes.
    changes: usize,
    /// The number of polls after which the next request ends.
    kill: Option<usize>,
    /// The id of the deployment that [`Place::Deployment`] previews; `None` if there is none yet.
    pub previewed: Option<String>,
    /// The places that a step was about.
    pub places: BTreeSet<Place>,
    /// The places that were changed outside of the deploy API since its last change.
    pub changed_outside: BTreeSet<Place>,
    /// The deployments that the deploy API was.
    pub ran: BTreeSet<String>,
    /// The deployment that the deploy API is, if its outcome was not recorded when it started.
    pub started: Option<String>,
}

impl Run {
    pub fn new() -> Self {
        let platform = Platform::with_rules(&[json!({
            "name": "account", "who": { "token": "alice" }, "namespaces": ["account"], "workers": ["*"], "actions": ACTIONS
        })]);
        let namespaces = Place::ALL.map(Place::namespace);
        let token = platform.token("alice", &[grant(&namespaces, &["*"], &ACTIONS)]);
        let run = Self {
            platform,
            token,
            uploads: Uploads::default(),
            changes: 0,
            kill: None,
            previewed: None,
            places: BTreeSet::new(),
            changed_outside: BTreeSet::new(),
            ran: BTreeSet::new(),
            started: None,
        };
        for place in [Place::Dispatcher, Place::DeployApi] {
            let mut scripts = run.platform.cloud.scripts.borrow_mut();
            scripts.upload_outside(&run.key(place), "from setup");
            scripts.set_secret_outside(&run.key(place), "UPLOAD_KEY");
        }
        run.set_healthy(true);
        run
    }

    pub fn take(&mut self, step: &Step) {
        if let Some(place) = step.place() {
            if place == Place::Deployment && !self.select_previewed(step) {
                return;
            }
            self.places.insert(place);
        }
        let before = self.everything();
        match step {
            Step::Change(place, change) => self.change(step.place().unwrap_or(*place), change),
            Step::AtOnce {
                place,
                change,
                other: Other::Change(other),
                polls,
            } => self.changes_at_once(step.place().unwrap_or(*place), [change, other], *polls),
            Step::AtOnce {
                place,
                change,
                other: Other::Reconcile,
                polls,
            } => self.change_while_reconciling(step.place().unwrap_or(*place), change, *polls),
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
            Step::DeployOutside(place, _) | Step::DeleteOutside(place) if self.is_open(*place) => {}
            Step::DeployOutside(place, version) => self.deploy_outside(*place, *version),
            Step::DeleteOutside(place) => {
                let key = self.key(*place);
                let mut scripts = self.platform.cloud.scripts.borrow_mut();
                if scripts.by_key.remove(&key).is_some() {
                    self.changed_outside.insert(*place);
                }
            }
            Step::StartDeployApi => self.start_deploy_api(),
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
        self.follow_expiries(&before);
        self.check();
    }

    /// Repairs everything, and checks that nothing stays open and that every preview expires.
    pub fn end(&mut self) {
        self.platform.cloud.faults.borrow_mut().clear();
        self.platform.messages.borrow_mut().clear();
        self.kill = None;
        self.start_deploy_api();
        self.platform.cloud.pass(200);
        let before = self.everything();
        self.reconcile();
        self.follow_expiries(&before);
        self.check();
        self.platform.assert_reconciled();
        let record = self.platform.record();
        for intent in record.iter().filter(|entry| entry["outcome"] == "intent") {
            let outcomes = record
                .iter()
                .filter(|entry| entry["intent"] == intent["sequence"]);
            assert_eq!(outcomes.count(), 1, "outcomes of {intent}");
        }
        for place in Place::ALL.into_iter().filter(|place| place.is_preview()) {
            self.v1("DELETE", place, "/lock", "");
        }
        self.platform.cloud.pass(LIFETIME_DAYS * 24 * 60 * 60);
        let before = self.everything();
        self.reconcile();
        self.follow_expiries(&before);
        self.check();
        assert_eq!(previews::all(self.platform.sql).unwrap(), []);
    }

    fn change(&mut self, place: Place, change: &Change) {
        let Some((mut requested, sent)) = self.request(place, change) else {
            return;
        };
        let before = self.served(place);
        let uploads_before = self.platform.cloud.scripts.borrow().uploads;
        let kill = self.kill.take();
        let answered = poll(self.uploads.send(&self.platform, &self.token, sent), kill);
        self.platform.messages.borrow_mut().clear();
        if let Change::Rollback(None) = change {
            requested.version = self.deployments(place).first().and_then(version_of);
        }
        let answer = Answer::of(answered.as_ref());
        assert!(
            answer != Answer::Done || !place.is_in_account() || is_possible_in_account(change),
            "{change:?} of {place:?}"
        );
        let allowed = requested.allows(before.as_ref(), answer);
        let shown = answered.map_or_else(|| "the process ended".to_owned(), |answered| answered.text());
        self.assert_allowed(place, &allowed, before.as_ref(), &format!("{change:?}: {shown}"));
        self.follow(place, uploads_before, [(change, answer)]);
        if matches!(change, Change::Adopt) && answer != Answer::Refused {
            self.reconcile();
            let is_drift = self.is_drift(place);
            if is_drift {
                self.changed_outside.insert(place);
            } else {
                self.changed_outside.remove(&place);
            }
            assert!(answer == Answer::Unknown || !is_drift, "{shown}");
        }
    }

    fn changes_at_once(&mut self, place: Place, changes: [&Change; 2], polls: usize) {
        let [first, second] = changes;
        let Some((mut one, one_sent)) = self.request(place, first) else {
            return;
        };
        let Some((mut other, other_sent)) = self.request(place, second) else {
            return;
        };
        // A health check that fails may restore the version of the other change.
        one.restored.extend(other.version);
        other.restored.extend(one.restored.iter().copied());
        other.restored.extend(one.version);
        one.restored.clone_from(&other.restored);
        let before = self.served(place);
        let uploads_before = self.platform.cloud.scripts.borrow().uploads;
        let send = |sent| self.uploads.send(&self.platform, &self.token, sent);
        let (answered, other_answered) = block_on(at_once(send(one_sent), send(other_sent), polls));
        self.platform.messages.borrow_mut().clear();
        let answers = [Answer::of(Some(&answered)), Answer::of(Some(&other_answered))];
        let allowed = Requested::allow_both([(&one, answers[0]), (&other, answers[1])], before.as_ref());
        let shown = format!(
            "{first:?}: {}\n{second:?}: {}",
            answered.text(),
            other_answered.text()
        );
        self.assert_allowed(place, &allowed, before.as_ref(), &shown);
        self.follow(place, uploads_before, [(first, answers[0]), (second, answers[1])]);
    }

    /// The change is carried out before or after the deletion of an expired preview. A preview that it renewed stays.
    fn change_while_reconciling(&mut self, place: Place, change: &Change, polls: usize) {
        let was_open = self.is_open(place);
        let Some((requested, sent)) = self.request(place, change) else {
            return;
        };
        let before = self.served(place);
        let uploads_before = self.platform.cloud.scripts.borrow().uploads;
        let sending = self.uploads.send(&self.platform, &self.token, sent);
        let reconciling = async {
            // A reconciler whose calls fail tries again at its next run.
            let _ = self.platform.reconciling_with(None).await;
        };
        let (answered, ()) = block_on(async {
            if polls.is_multiple_of(2) {
                Box::pin(at_once(sending, reconciling, polls)).await
            } else {
                let (end, answered) = Box::pin(at_once(reconciling, sending, polls)).await;
                (answered, end)
            }
        });
        self.platform.messages.borrow_mut().clear();
        let answer = Answer::of(Some(&answered));
        let mut allowed = requested.allows(before.as_ref(), answer);
        if place.is_preview() {
            allowed.extend(requested.allows(None, answer));
            if answer != Answer::Done {
                allowed.push(None);
            }
        }
        // The reconciler concludes a change that was open before, and may roll it back.
        if !was_open {
            let shown = format!("{change:?} while reconciling: {}", answered.text());
            self.assert_allowed(place, &allowed, before.as_ref(), &shown);
        }
        self.follow(place, uploads_before, [(change, answer)]);
    }

    fn assert_allowed(&self, place: Place, allowed: &[Option<Served>], before: Option<&Served>, shown: &str) {
        let after = self.served(place);
        assert!(
            allowed.contains(&after),
            "{place:?}: {shown}\nbefore: {before:?}\nafter: {after:?}\nallowed: {allowed:?}"
        );
    }

    /// Notes that changes through the deploy API ended a change outside of it.
    fn follow<const N: usize>(
        &mut self,
        place: Place,
        uploads_before: usize,
        changes: [(&Change, Answer); N],
    ) {
        let is_uploaded = self.platform.cloud.scripts.borrow().uploads != uploads_before;
        let is_deleted = changes
            .iter()
            .any(|(change, answer)| matches!(change, Change::Delete) && *answer == Answer::Done);
        if is_uploaded || is_deleted {
            self.changed_outside.remove(&place);
        }
    }

    /// Notes which previews the reconciler deleted: a change outside of the deploy API ends with the Worker.
    fn follow_expiries(&mut self, before: &[(Place, bool)]) {
        for (place, was_there) in before {
            if *was_there && self.served(*place).is_none() && place.is_preview() && !self.is_recorded(*place)
            {
                self.changed_outside.remove(place);
            }
        }
    }

    fn everything(&self) -> Vec<(Place, bool)> {
        let places = self.places.iter();
        places
            .map(|place| (*place, self.served(*place).is_some()))
            .collect()
    }

    /// Selects the deployment that [`Place::Deployment`] previews with the first change that makes the preview, and returns whether there is
    /// one now.
    fn select_previewed(&mut self, step: &Step) -> bool {
        let number = match step {
            Step::Change(_, Change::Preview(number))
            | Step::AtOnce {
                change: Change::Preview(number),
                ..
            }
            | Step::AtOnce {
                other: Other::Change(Change::Preview(number)),
                ..
            } => Some(*number),
            _ => None,
        };
        if self.previewed.is_none() {
            let mut uploaded = self.deployments(Place::Staging);
            uploaded.retain(|found| found["state"] == "succeeded" && version_of(found).is_some());
            let id = chosen(number, &uploaded).map(|found| &found["id"]);
            self.previewed = id.and_then(Value::as_str).map(str::to_owned);
        }
        self.previewed.is_some()
    }

    /// Prepares a change; `None` if it is not possible.
    fn request<'c>(&mut self, place: Place, change: &'c Change) -> Option<(Requested<'c>, Sent)> {
        if matches!(change, Change::Promote) && place.promoted_from().is_none() {
            return None;
        }
        self.changes += 1;
        let text = self.changes.to_string();
        let recorded = self.deployments(place);
        let previous = self.current(place, &recorded);
        let mut restored: Vec<usize> = previous.and_then(version_of).into_iter().collect();
        if matches!(change, Change::Deploy(_) | Change::Retry) {
            let before_it = recorded
                .iter()
                .find(|deployment| previous.is_some_and(|previous| previous["previous"] == deployment["id"]));
            restored.extend(before_it.and_then(version_of));
        }
        let version = match change {
            Change::Deploy(version) => Some((*version).into()),
            Change::Retry => Some(self.uploads.last(place).into()),
            Change::Rollback(index) => chosen(*index, &recorded).and_then(version_of),
            Change::Overwrite => previous.and_then(version_of),
            Change::Preview(_) => {
                let staging = self.deployments(Place::Staging);
                let previewed = self.previewed.as_deref();
                let mut staging = staging.iter();
                let source = staging.find(|deployment| deployment["id"].as_str() == previewed);
                source.and_then(version_of)
            }
            Change::Promote => place.promoted_from().and_then(|from| {
                let there = self.deployments(from);
                self.current(from, &there).and_then(version_of)
            }),
            Change::Delete | Change::PutSecret(_) | Change::DeleteSecret(_) | Change::Adopt => None,
        };
        let target = self.target(place);
        let previewed = self.previewed.as_deref();
        let sent = self
            .uploads
            .request((place, &target), change, &recorded, previewed, &text);
        let requested = Requested {
            change,
            version,
            restored,
            text,
        };
        Some((requested, sent))
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
        let key = self.key(place);
        let mut scripts = self.platform.cloud.scripts.borrow_mut();
        scripts.upload_outside(&key, &code);
        if let Some(script) = scripts.by_key.get_mut(&key) {
            // The variable that names the deployment of the deploy API is not in its configuration.
            script.bindings.clear();
        }
        self.changed_outside.insert(place);
    }

    /// The instances of the version that the account has take the place of those before.
    fn start_deploy_api(&mut self) {
        let id = {
            let scripts = self.platform.cloud.scripts.borrow();
            let script = scripts.get(&self.key(Place::DeployApi));
            let bindings = script.map(|script| script.bindings.clone()).unwrap_or_default();
            let own = bindings.iter().find(|binding| binding["name"] == "DEPLOYMENT");
            own.and_then(|own| own["text"].as_str()).map(str::to_owned)
        };
        self.platform.restart_ledger();
        let own = id.as_deref().map(|id| DeploymentId::parse(id).unwrap());
        self.platform.own_deployment.replace(own);
        let deployments = self.deployments(Place::DeployApi);
        let is_pending = |id: &String| {
            deployments
                .iter()
                .any(|deployment| deployment["id"] == **id && deployment["state"] == "pending")
        };
        self.ran.extend(id.clone());
        self.started = id.filter(is_pending);
    }

    fn reconcile(&mut self) {
        let mut kill = self.kill.take();
        // A reconciler whose calls fail, or whose process ends, tries again at its next run.
        for _ in 0..4 {
            let _ = poll(self.platform.reconciling_with(None), kill.take());
            self.platform.cloud.pass(100);
        }
    }
}

/// Whether a Worker of the platform can be changed so.
const fn is_possible_in_account(change: &Change) -> bool {
    matches!(
        change,
        Change::Deploy(_) | Change::Retry | Change::Rollback(_) | Change::Overwrite
    )
}
