//! The calls to the Cloudflare API that this instance of the gateway has reserved at the ledger.
//!
//! Invariant: a call is made only before the end of its reservation, so the ledger's count contains each call of the last
//! five minutes. A reservation that is not used is lost.

use std::cell::Cell;

use crate::attempt::AttemptId;
use crate::ledger::{LedgerClient, ReserveCalls, ReservedCalls, send};
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::upstream::Purpose;

/// The reservations of one instance of the gateway.
#[derive(Debug, Default)]
pub struct CallBudget {
    changes: Cell<Option<ReservedCalls>>,
    information: Cell<Option<ReservedCalls>>,
}

impl CallBudget {
    /// Takes one call, and reserves more if none is left.
    ///
    /// # Errors
    /// `UPSTREAM_RATE_LIMITED` with the time after which calls can be reserved again, or `RECORD_UNAVAILABLE`.
    pub async fn take(
        &self,
        ledger: &impl LedgerClient,
        runtime: &impl Runtime,
        purpose: Purpose,
    ) -> Result<(), Problem> {
        let reserved = match purpose {
            Purpose::Change => &self.changes,
            Purpose::Information => &self.information,
        };
        if use_one(reserved, runtime) {
            return Ok(());
        }
        let message = ReserveCalls {
            attempt: AttemptId::new(runtime.now(), runtime.entropy()),
            purpose,
        };
        let new = send(ledger, &message).await?;
        reserved.set(Some(ReservedCalls {
            calls: new.calls.saturating_sub(1),
            ..new
        }));
        Ok(())
    }
}

/// Takes one of the reserved calls; `false` if there is none.
fn use_one(reserved: &Cell<Option<ReservedCalls>>, runtime: &impl Runtime) -> bool {
    match reserved.get() {
        Some(left) if left.calls > 0 && runtime.now() < left.until => {
            reserved.set(Some(ReservedCalls {
                calls: left.calls - 1,
                ..left
            }));
            true
        }
        _ => false,
    }
}
