//! The message that reserves calls to the Cloudflare API, which limits the calls of a token.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Ledger, Message};
use crate::attempt::AttemptId;
use crate::code::Code;
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sql::Sql;
use crate::store::{answers, upstream_calls};
use crate::upstream::Purpose;

/// The number of parts of the limit, of which one is reserved for changes.
const RESERVE: u32 = 4;

/// The number of reservations that use up the limit. Each instance of the gateway reserves several calls at once, so that
/// it does not ask before each call.
const RESERVATIONS: u32 = 240;

/// Reserves calls for one instance of the gateway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReserveCalls {
    /// The attempt, which is one of its own for each reservation.
    pub attempt: AttemptId,
    /// What the calls are for.
    pub purpose: Purpose,
}

impl Message for ReserveCalls {
    const NAME: &'static str = "reserve-calls";
    type Answer = ReservedCalls;
}

/// Calls that one instance of the gateway may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservedCalls {
    /// Their number.
    pub calls: u32,
    /// The time before which they must be made.
    pub until: Timestamp,
}

impl<S: Sql, R: Runtime> Ledger<S, R> {
    pub(super) fn reserve_calls(&self, message: &ReserveCalls) -> Result<ReservedCalls, Problem> {
        let now = self.runtime.now();
        let limit = self.settings.upstream_calls;
        let calls = (limit / RESERVATIONS).max(1);
        let available = match message.purpose {
            Purpose::Change => limit,
            Purpose::Information => limit - limit / RESERVE,
        };
        answers::once(
            &self.sql,
            &message.attempt,
            ReserveCalls::NAME,
            now,
            || match upstream_calls::reserve(&self.sql, calls, available, now)? {
                Ok(()) => Ok(ReservedCalls {
                    calls,
                    until: now
                        .saturating_add(SignedDuration::from_secs(upstream_calls::VALID))
                        .unwrap_or(now),
                }),
                Err(wait) => Err(used_up(limit, message.purpose, wait)),
            },
        )
    }
}

fn used_up(limit: u32, purpose: Purpose, wait: SignedDuration) -> Problem {
    let what = match purpose {
        Purpose::Change => format!(
            "The deploy API has made the {limit} calls to the Cloudflare API that its token may make in five minutes."
        ),
        Purpose::Information => format!(
            "The deploy API has made most of the {limit} calls to the Cloudflare API that its token may make in five \
             minutes, and the rest is reserved for deploys."
        ),
    };
    let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX);
    Problem::new(Code::UpstreamRateLimited, what, "Wait, then try again.").retry_after(seconds)
}
