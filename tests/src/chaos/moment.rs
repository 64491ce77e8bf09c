use std::time::Duration;

use rand::rngs::StdRng;

use super::{
    below,
    traffic::{PATH, Traffic},
};
use crate::{
    Relay,
    relay::{Fault, Hold},
};

/// When the runtime is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The intent is recorded and the upload was sent, but the upstream does not receive it.
    BeforeTheUpstream,
    /// The upstream has made the change, and its response has not arrived.
    AfterTheUpstream,
    /// The upload was sent, and the upstream makes the change while the runtime is down.
    WhileTheUpstreamIsLate,
    /// This long after the clients started.
    After(Duration),
}

/// The upstream's delay: less than the time after which a lost response is reconciled.
const LATE: Duration = Duration::from_millis(800);

/// The longest random delay, in milliseconds. A deploy takes a fraction of it.
const LONGEST: u64 = 700;

impl Moment {
    /// A random moment.
    pub(super) fn random(random: &mut StdRng) -> Self {
        match below(random, 5) {
            0 => Self::BeforeTheUpstream,
            1 => Self::AfterTheUpstream,
            2 => Self::WhileTheUpstreamIsLate,
            _ => Self::After(Duration::from_millis(below(random, LONGEST))),
        }
    }

    /// Prepares the relay, starts the clients, and waits for the moment.
    pub(super) async fn wait_for(self, relay: &Relay, traffic: &Traffic) {
        let hold = Hold::default();
        match self {
            Self::BeforeTheUpstream => relay.plan("PUT", PATH, 1, Fault::HoldBefore(hold.clone())),
            Self::AfterTheUpstream => relay.plan("PUT", PATH, 1, Fault::HoldAfter(hold.clone())),
            Self::WhileTheUpstreamIsLate => relay.plan("PUT", PATH, 1, Fault::Late(LATE)),
            Self::After(_) => {}
        }
        traffic.go();
        match self {
            Self::BeforeTheUpstream | Self::AfterTheUpstream => hold.reached().await,
            Self::WhileTheUpstreamIsLate => relay.wait_for_faults(PATH).await,
            Self::After(time) => tokio::time::sleep(time).await,
        }
    }
}
