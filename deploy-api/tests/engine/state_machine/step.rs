//! The steps of a random sequence.

use deploy_api::upstream::UpstreamFailure;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::cloud::{Fault, REFUSED};
use crate::platform::MessageFault;

/// A namespace in which the Worker agents is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Staging,
    Production,
}

impl Place {
    pub const ALL: [Self; 2] = [Self::Staging, Self::Production];

    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Staging => "dotdo-staging",
            Self::Production => "dotdo-production",
        }
    }

    pub const fn other(self) -> Self {
        match self {
            Self::Staging => Self::Production,
            Self::Production => Self::Staging,
        }
    }
}

/// A change that a developer or an operator requests through the deploy API.
#[derive(Clone, Debug)]
pub enum Change {
    /// Deploys a version: its code is that number of bytes.
    Deploy(u8),
    /// Sends the last upload again, as wrangler does when it gets no answer.
    Retry,
    /// Rolls back, to the deployment before, or to one of the list.
    Rollback(Option<Index>),
    /// Promotes what the other namespace serves.
    Promote,
    Delete,
    PutSecret(&'static str),
    DeleteSecret(&'static str),
    /// Records what was changed outside as a deployment.
    Adopt,
    /// Deploys the recorded deployment again after a change outside.
    Overwrite,
}

#[derive(Clone, Debug)]
pub enum Step {
    Change(Place, Change),
    SetHealthCheck(Place, bool),
    SetLock(Place, bool),
    /// Whether the Workers answer as their health checks expect.
    SetHealthy(bool),
    /// Somebody deploys a version with the account's own token.
    DeployOutside(Place, u8),
    /// Somebody deletes the Worker with the account's own token.
    DeleteOutside(Place),
    /// What happens to the next change at the upstream.
    FailUpstream(Fault),
    /// The gateway ends, or loses its connection, after a number of messages to the ledger.
    FailMessages {
        after: usize,
        fault: MessageFault,
    },
    /// The process of the gateway ends after a number of polls of the next change.
    Kill {
        polls: usize,
    },
    RestartLedger,
    Pass(i64),
    Reconcile,
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..30)
}

fn step() -> impl Strategy<Value = Step> {
    let place = || prop_oneof![3 => Just(Place::Staging), 1 => Just(Place::Production)];
    prop_oneof![
        12 => (place(), change()).prop_map(|(place, change)| Step::Change(place, change)),
        3 => (place(), any::<bool>()).prop_map(|(place, is_set)| Step::SetHealthCheck(place, is_set)),
        1 => (place(), any::<bool>()).prop_map(|(place, is_set)| Step::SetLock(place, is_set)),
        3 => any::<bool>().prop_map(Step::SetHealthy),
        2 => (place(), 10..15_u8).prop_map(|(place, version)| Step::DeployOutside(place, version)),
        1 => place().prop_map(Step::DeleteOutside),
        4 => fault().prop_map(Step::FailUpstream),
        3 => (0..6_usize, prop_oneof![Just(MessageFault::Lost), Just(MessageFault::AnswerLost)])
            .prop_map(|(after, fault)| Step::FailMessages { after, fault }),
        2 => (1..40_usize).prop_map(|polls| Step::Kill { polls }),
        1 => Just(Step::RestartLedger),
        1 => prop_oneof![Just(1), Just(20), Just(300), Just(1_000)].prop_map(Step::Pass),
        3 => Just(Step::Reconcile),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let secret = || prop_oneof![Just("TOKEN"), Just("KEY")];
    prop_oneof![
        6 => (1..5_u8).prop_map(Change::Deploy),
        3 => Just(Change::Retry),
        3 => proptest::option::of(any::<Index>()).prop_map(Change::Rollback),
        2 => Just(Change::Promote),
        1 => Just(Change::Delete),
        1 => secret().prop_map(Change::PutSecret),
        1 => secret().prop_map(Change::DeleteSecret),
        1 => Just(Change::Adopt),
        1 => Just(Change::Overwrite),
    ]
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
