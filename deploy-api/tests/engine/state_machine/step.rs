//! The steps of a random sequence.

use deploy_api::upstream::UpstreamFailure;
use proptest::prelude::*;

use super::place::Place;
use crate::cloud::{Fault, REFUSED};
use crate::platform::MessageFault;

/// The days after which a preview expires.
pub const LIFETIME_DAYS: i64 = 14;

const DAY: i64 = 24 * 60 * 60;

/// A change that a developer or an operator requests through the deploy API.
#[derive(Clone, Debug)]
pub enum Change {
    /// Deploys a version: its code is that number of bytes.
    Deploy(u8),
    /// Sends the last upload again, as wrangler does when it gets no answer.
    Retry,
    /// Rolls back, to the deployment before, or to one of the list, whose number may be larger than the length of the list.
    Rollback(Option<usize>),
    /// Promotes what the other namespace serves.
    Promote,
    /// Deploys a deployment of staging to its preview. The first one selects the deployment.
    Preview(usize),
    Delete,
    PutSecret(&'static str),
    DeleteSecret(&'static str),
    /// Records what was changed outside as a deployment.
    Adopt,
    /// Deploys the recorded deployment again after a change outside.
    Overwrite,
}

/// What happens at the same time as a change.
#[derive(Clone, Debug)]
pub enum Other {
    /// Another change of the same Worker.
    Change(Change),
    Reconcile,
}

#[derive(Clone, Debug)]
pub enum Step {
    Change(Place, Change),
    /// Two things at once: the second begins after a number of polls of the first.
    AtOnce {
        place: Place,
        change: Change,
        other: Other,
        polls: usize,
    },
    SetHealthCheck(Place, bool),
    SetLock(Place, bool),
    /// Whether the Workers answer as their health checks expect.
    SetHealthy(bool),
    /// Somebody deploys a version with the account's own token.
    DeployOutside(Place, u8),
    /// Somebody deletes the Worker with the account's own token.
    DeleteOutside(Place),
    /// The version of the deploy API that the account has starts, and the one before it ends.
    StartDeployApi,
    /// What happens to the next change at the upstream.
    FailUpstream(Fault),
    /// The gateway ends, or loses its connection, after a number of messages to the ledger.
    FailMessages {
        after: usize,
        fault: MessageFault,
    },
    /// The process of the gateway or of the reconciler ends after a number of polls.
    Kill {
        polls: usize,
    },
    RestartLedger,
    Pass(i64),
    Reconcile,
}

impl Step {
    /// The place that it is about; `None` for a step about the platform.
    pub const fn place(&self) -> Option<Place> {
        match self {
            Self::Change(_, Change::Preview(_))
            | Self::AtOnce {
                change: Change::Preview(_),
                ..
            }
            | Self::AtOnce {
                other: Other::Change(Change::Preview(_)),
                ..
            } => Some(Place::Deployment),
            Self::Change(place, _)
            | Self::AtOnce { place, .. }
            | Self::SetHealthCheck(place, _)
            | Self::SetLock(place, _)
            | Self::DeployOutside(place, _)
            | Self::DeleteOutside(place) => Some(*place),
            _ => None,
        }
    }
}

/// The places that most steps of a sequence are about: the steps of one Worker depend on each other.
#[derive(Clone, Copy, Debug)]
enum Focus {
    Environments,
    Previews,
    Account,
    All,
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let focus = prop_oneof![
        3 => Just(Focus::Environments),
        3 => Just(Focus::Previews),
        2 => Just(Focus::Account),
        1 => Just(Focus::All),
    ];
    focus.prop_flat_map(|focus| {
        // The deployment that is previewed.
        let first = matches!(focus, Focus::Previews).then(|| Step::Change(Place::Staging, Change::Deploy(1)));
        let others = proptest::collection::vec(step(focus), 1..30);
        others.prop_map(move |others| first.clone().into_iter().chain(others).collect())
    })
}

fn place(focus: Focus) -> impl Strategy<Value = Place> {
    let [environments, previews, account] = match focus {
        Focus::Environments => [16, 2, 1],
        Focus::Previews => [4, 16, 1],
        Focus::Account => [2, 1, 16],
        Focus::All => [1, 1, 1],
    };
    prop_oneof![
        3 * environments => Just(Place::Staging),
        environments => Just(Place::Production),
        2 * previews => Just(Place::PullRequest),
        2 * previews => Just(Place::Deployment),
        account => Just(Place::Dispatcher),
        3 * account => Just(Place::DeployApi),
    ]
}

fn step(focus: Focus) -> impl Strategy<Value = Step> {
    let place = || place(focus);
    let starts = match focus {
        Focus::Account => 4,
        Focus::Environments | Focus::Previews | Focus::All => 1,
    };
    prop_oneof![
        12 => (place(), change()).prop_map(|(place, change)| Step::Change(place, change)),
        4 => (place(), change_at_once(), other(), 0..40_usize)
            .prop_map(|(place, change, other, polls)| Step::AtOnce { place, change, other, polls }),
        3 => (place(), any::<bool>()).prop_map(|(place, is_set)| Step::SetHealthCheck(place, is_set)),
        1 => (place(), any::<bool>()).prop_map(|(place, is_set)| Step::SetLock(place, is_set)),
        3 => any::<bool>().prop_map(Step::SetHealthy),
        2 => (place(), 10..15_u8).prop_map(|(place, version)| Step::DeployOutside(place, version)),
        1 => place().prop_map(Step::DeleteOutside),
        starts => Just(Step::StartDeployApi),
        4 => fault().prop_map(Step::FailUpstream),
        3 => (0..8_usize, prop_oneof![Just(MessageFault::Lost), Just(MessageFault::AnswerLost)])
            .prop_map(|(after, fault)| Step::FailMessages { after, fault }),
        2 => (1..40_usize).prop_map(|polls| Step::Kill { polls }),
        1 => Just(Step::RestartLedger),
        1 => prop_oneof![Just(1), Just(20), Just(300), Just(1_000)].prop_map(Step::Pass),
        2 => prop_oneof![Just(DAY), Just(LIFETIME_DAYS * DAY - 5), Just(LIFETIME_DAYS * DAY)].prop_map(Step::Pass),
        3 => Just(Step::Reconcile),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => change_at_once(),
        3 => Just(Change::Retry),
        2 => Just(Change::Rollback(None)),
        2 => Just(Change::Promote),
        1 => Just(Change::Adopt),
        1 => Just(Change::Overwrite),
    ]
}

/// A change whose effect does not depend on another one that comes before it.
fn change_at_once() -> impl Strategy<Value = Change> {
    let secret = || prop_oneof![Just("TOKEN"), Just("KEY")];
    prop_oneof![
        6 => (1..5_u8).prop_map(Change::Deploy),
        3 => any::<usize>().prop_map(Change::Preview),
        2 => any::<usize>().prop_map(|index| Change::Rollback(Some(index))),
        1 => Just(Change::Delete),
        1 => secret().prop_map(Change::PutSecret),
        1 => secret().prop_map(Change::DeleteSecret),
    ]
}

fn other() -> impl Strategy<Value = Other> {
    prop_oneof![change_at_once().prop_map(Other::Change), Just(Other::Reconcile),]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        Just(Fault::Answer(400, REFUSED)),
        Just(Fault::Answer(500, "{}")),
        Just(Fault::AnswerAfter(502, "bad gateway")),
        Just(Fault::Lost(UpstreamFailure::Timeout)),
        Just(Fault::LostAfter(UpstreamFailure::Timeout)),
    ]
}
