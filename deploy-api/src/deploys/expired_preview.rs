//! The deletion of a preview that expired.

use jiff::Timestamp;

use super::Gateway;
use super::change::{SmallChange, change};
use super::lease::Lease;
use crate::attempt::AttemptId;
use crate::code::Code;
use crate::ledger::{Authority, Begin, Begun, Change, LedgerClient};
use crate::problem::Problem;
use crate::services::Services;
use crate::target::Target;

/// Deletes an expired preview as a caller would, with its lease and its records. If it was deployed again meanwhile or is being changed,
/// nothing is done. A deletion that fails is recorded, and tried again later.
///
/// # Errors
/// `RECORD_UNAVAILABLE`.
pub(super) async fn delete_expired<L: LedgerClient, O: Services>(
    gateway: &Gateway<'_, L, O>,
    target: &Target,
    expired: Timestamp,
) -> Result<(), Problem> {
    let begin = Begin {
        attempt: AttemptId::new(gateway.now(), gateway.services.entropy()),
        authority: Authority::ExpiredPreview { expired },
        client: gateway.client.clone(),
        target: target.clone(),
        change: Change::Delete,
    };
    let granted = match gateway.send(&begin).await {
        Ok(Begun::Lease(granted)) => granted,
        Ok(Begun::Replayed(_) | Begun::Check(_) | Begun::Outdated) => return Ok(()),
        Err(problem) => return unless_unrecorded(problem),
    };
    let lease = Lease::granted(gateway, target, *granted);
    // It is gone as well if somebody deleted it without this API.
    let deletion = SmallChange {
        may_be_absent: true,
        ..SmallChange::deletion(target, true)
    };
    change(&lease, deletion).await.or_else(unless_unrecorded)
}

fn unless_unrecorded(problem: Problem) -> Result<(), Problem> {
    match problem.code {
        Code::RecordUnavailable => Err(problem),
        _ => Ok(()),
    }
}
