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
    /// The intent is on record, and the upload is on its way: the upstream never gets it.
    BeforeTheUpstream,
    /// The upstream has done it, and its answer is on its way back.
    AfterTheUpstream,
    /// The upload was sent, and the upstream carries it out only while the runtime is down.
    WhileTheUpstreamIsLate,
    /// So long after the clients began.
    After(Duration),
}

/// How late the upstream is: less than the time after which a lost answer is settled.
const LATE: Duration = Duration::from_millis(800);

/// The longest that chance waits. A deploy takes a fraction of it.
const LONGEST: u64 = 700;

impl Moment {
    /// One of them.
    pub(super) fn random(random: &mut StdRng) -> Self {
        match below(random, 5) {
            0 => Self::BeforeTheUpstream,
            1 => Self::AfterTheUpstream,
            2 => Self::WhileTheUpstreamIsLate,
            _ => Self::After(Duration::from_millis(below(random, LONGEST))),
        }
    }

    /// Waits for it. The clients begin when this has prepared the relay.
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
            Self::WhileTheUpstreamIsLate => relay.planned(PATH).await,
            Self::After(time) => tokio::time::sleep(time).await,
        }
    }
}
